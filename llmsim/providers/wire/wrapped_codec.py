"""A codec around another: it reads requests otherwise and writes answers as the inner one does."""

from __future__ import annotations

from llmsim.core import Completion, Request, Stamp, StreamCodec, StreamScript
from llmsim.core.errors import Failure


class WrappedCodec:
    """``codec`` under the name ``name``. Who derives from it says in ``decode`` what is different.

    Not by inheritance from the inner codec: some of those are compiled in wheels.
    """

    def __init__(self, name: str, codec: StreamCodec) -> None:
        self.name = name
        self._codec = codec

    def decode(self, body: bytes) -> Request:
        return self._codec.decode(body)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        return self._codec.plain(request, completion, stamp)

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        return self._codec.script(request, completion, stamp)

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return self._codec.error_event(request, completion, failure, stamp, sent)
