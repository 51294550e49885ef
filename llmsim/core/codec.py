"""One API's wire format, which translates and decides nothing.

A class is a codec by having these methods. What an API's answers share besides (response heads,
failures before the first byte) is its provider's, not the codec's.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
import orjson

from llmsim.core.completion import Completion
from llmsim.core.errors import Failure
from llmsim.core.plan import Stamp, StreamScript
from llmsim.core.request import Request


def dumps(value: Any) -> bytes:
    """A value that came as JSON, as compact JSON: integers of any size, and more levels than
    orjson writes.

    Raises RecursionError if it is nested more deeply than Python can follow.
    """
    try:
        return orjson.dumps(value)
    except TypeError:  # integers of more than 64 bits, more than 254 levels
        return msgspec.json.encode(value)


class Codec(Protocol):
    """Reads requests and writes whole answers."""

    @property
    def name(self) -> str:
        """What mocks, faults and ``llmsim plan --dialect`` call it."""
        ...

    def decode(self, body: bytes) -> Request:
        """The request that the body is. Raises BadRequest.

        It asks for a stream only if the codec is a :class:`StreamCodec`.
        """
        ...

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        """The whole answer as one body."""
        ...


class StreamCodec(Codec, Protocol):
    """Writes answers as streams, too."""

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        """The answer as a stream."""
        ...

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        """What ends the stream of ``completion`` where it breaks off after ``sent`` frames."""
        ...
