"""How a handler sees a request, whichever interface brought it."""

from __future__ import annotations

from typing import Protocol

from llmsim.core import Headers
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.plan import Chunk
from llmsim.core.state import LiveSession

# A body over the limit is read to its end and thrown away up to this many times the limit, so
# that a client that is still sending gets the answer instead of a broken pipe.
DRAIN = 4


class Gone(Exception):  # noqa: N818  named for what it says
    """The client closed its connection."""


class Stream(Protocol):
    """An open response body."""

    def send(self, data: Chunk) -> bool:
        """Pass bytes on at once, or piece by piece if they are many; False if the client has
        gone."""
        ...

    def close(self) -> None:
        """End the response."""
        ...


class Peer(Protocol):
    """The connection to a client, for who wants to break it."""

    def written(self) -> int | None:
        """How many bytes have been given to the network so far; None where that is not known."""
        ...

    def hang_up(self, reset: bool) -> None:
        """Close the connection after all that was written, or reset it."""
        ...


class Port(Protocol):
    """One HTTP request and its response."""

    method: str
    path: str

    @property
    def socket(self) -> LiveSession | None:
        """The WebSocket of which the request is a message; None if it stands by itself."""
        ...

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        ...

    @property
    def query(self) -> str:
        """What follows the question mark, still encoded."""
        ...

    def header(self, name: str) -> str | None:
        """A request header by its lower-case name."""
        ...

    def names(self) -> list[str]:
        """The names of all request headers, in lower case."""
        ...

    async def body(self, limit: int) -> bytes:
        """The request body. Raises BadRequest if it is over ``limit`` bytes and Gone if
        the client leaves before it is whole."""
        ...

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """Send the whole response."""
        ...

    def open(self, status: int, headers: Headers) -> Stream:
        """Send the response head and open its body."""
        ...

    def arrived(self, begun: int, read: int, waits: bool) -> int:
        """When the request had come whole, as well as that can be known; its handler began at
        ``begun`` and has the body since ``read``, all in µs of the monotonic clock. ``waits`` says
        that its answer is due later, so that much depends on it."""
        ...

    def connection(self) -> tuple[str, str] | None:
        """Client and server (``host:port``) of a connection over TCP that is this request's alone;
        None if there is none."""
        ...

    async def left(self) -> None:
        """Return when the client has closed its connection."""
        ...

    def unread(self) -> int:
        """How many bytes of the response that is open its client has not read, at least."""
        ...

    def peer(self) -> Peer:
        """The client's connection under the response."""
        ...


def origin(port: Port) -> str:
    """Scheme and host by which the client knows this server, as in ``http://localhost:8080``.

    A proxy that stands in between says what the client used (X-Forwarded-Proto and -Host).
    """
    scheme = port.header("x-forwarded-proto") or port.scheme
    host = port.header("x-forwarded-host") or port.header("host") or "localhost"
    return f"{scheme.partition(',')[0].strip()}://{host.partition(',')[0].strip()}"


def too_large(limit: int) -> BadRequest:
    """The exception for a body over ``limit`` bytes."""
    return BadRequest(
        Failure(
            FailureKind.TOO_LARGE, f"The request body is larger than the {limit} bytes allowed."
        )
    )
