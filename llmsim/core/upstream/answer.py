"""Answers of other services, as the pipeline sees them: the head is known, the rest is to come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from llmsim.core.errors import Failure
from llmsim.core.plan import ConnectionEnd, Deferred, Headers
from llmsim.core.state import Caller


class FrameShaper(Protocol):
    """Decides what leaves of an answer that passes, and when. Times are in seconds after the
    request's arrival.

    Once it is ``over`` nothing more leaves. ``ending`` is what becomes of the connection after an
    answer that was whole, ``failure`` how it counts; None leaves both as they are.
    """

    over: bool
    ending: ConnectionEnd | None
    failure: Failure | None

    def shaped(self, frame: bytes, at: float, /) -> Iterable[tuple[bytes, float]]:
        """What leaves of a frame that came ``at``, with the times it is due."""
        ...

    def rest(self, at: float, /) -> Iterable[tuple[bytes, float]]:
        """What leaves when the answer has come to its end ``at``."""
        ...


class UpstreamAnswer(Protocol):
    """An answer whose head has come. ``length`` is what the head says the body has, in bytes;
    ``waited`` how many seconds passed until it came."""

    status: int
    headers: Headers
    length: int | None
    waited: float

    def deferred(self, prompt_tokens: int, shaper: FrameShaper | None, /) -> Deferred:
        """What passes the rest on, shaped or as it comes, and says in the end what tokens it took:
        where the service does not, so many of the prompt, and those of the answer's frames."""
        ...

    def release(self) -> None:
        """Let go of an answer that was never begun to be passed on."""
        ...


class Upstreams(Protocol):
    """The services that requests can be passed on to."""

    async def open(self, provider: str, caller: Caller, body: bytes, /) -> UpstreamAnswer:
        """Pass a request on to the provider's service. Raises BadRequest where that does not
        answer, and what stands for a client that leaves meanwhile."""
        ...
