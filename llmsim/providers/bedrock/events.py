"""Converse: the events of a streamed answer, messages of AWS's binary stream.

The order is messageStart; for each block contentBlockStart where it is a tool's, its deltas,
contentBlockStop; messageStop, metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from llmsim.core import (
    END,
    START,
    Choice,
    GeneratedText,
    ReasoningSegment,
    RefusalSegment,
    Segment,
    Stamp,
    StreamScript,
    TextSegment,
    ToolCallSegment,
)
from llmsim.providers.anthropic.errors import call_id
from llmsim.providers.anthropic.messages.content import signature
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun, BeatRuns
from llmsim.providers.wire.event_stream import event

MESSAGE_START = event("messageStart", b'{"role":"assistant"}')


@lru_cache(maxsize=256)
def _deltas(index: int, before: bytes, after: bytes) -> sse.Tails:
    """The deltas of one kind in the block at ``index``."""
    opening = b'{"contentBlockIndex":%d,"delta":{%b' % (index, before)
    closing = after + b"}}"

    def serialize(piece: str) -> bytes:
        return event("contentBlockDelta", opening + orjson.dumps(piece) + closing)

    return sse.Tails(serialize)


@lru_cache(maxsize=256)
def _stop(index: int) -> bytes:
    return event("contentBlockStop", b'{"contentBlockIndex":%d}' % index)


def script(choice: Choice, reason: str, metadata: dict[str, Any], stamp: Stamp) -> StreamScript:
    """The whole stream."""
    blocks = _Blocks(stamp)
    for segment in choice.segments:
        blocks.add(segment)
    closing = [
        event("messageStop", orjson.dumps({"stopReason": reason})),
        event("metadata", orjson.dumps(metadata)),
    ]
    frames = sse.Chained([[MESSAGE_START], *blocks.frames, closing])
    beats = BeatRuns([((START,), 0), *blocks.beats, ((END, END), 0)])
    return StreamScript(sse.Spliced(b"", frames), beats)


class _Blocks:
    """The events of all blocks, and the beat of each."""

    def __init__(self, stamp: Stamp) -> None:
        self.frames: list[Sequence[bytes]] = []
        self.beats: list[BeatRun] = []
        self._stamp = stamp
        self._index = 0
        self._calls = 0
        self._tokens = 0

    def add(self, segment: Segment) -> None:
        """The block of one segment; text of no tokens makes none."""
        words = segment.generated
        match segment:
            case TextSegment() | RefusalSegment():
                if words.tokens:
                    self._block(words, _deltas(self._index, b'"text":', b""))
            case ReasoningSegment():
                deltas = _deltas(self._index, b'"reasoningContent":{"text":', b"}")
                signed = _deltas(self._index, b'"reasoningContent":{"signature":', b"}")
                self._block(words, deltas, signed[signature(self._stamp).decode()])
            case ToolCallSegment():
                called = {"toolUseId": call_id(self._stamp, self._calls), "name": segment.name}
                start = {"contentBlockIndex": self._index, "start": {"toolUse": called}}
                self._calls += 1
                self._frame(event("contentBlockStart", orjson.dumps(start)))
                self._block(words, _deltas(self._index, b'"toolUse":{"input":', b"}"))
            case _:  # what the service runs itself is not shown
                self._tokens += words.tokens

    def _block(self, words: GeneratedText, deltas: sse.Tails, last: bytes = b"") -> None:
        self.frames.append(sse.PieceTails(deltas, words.pieces))
        self.beats.append((words.ends, self._tokens))
        for frame in filter(None, (last, _stop(self._index))):
            self._frame(frame, max(0, words.tokens - 1))
        self._index += 1
        self._tokens += words.tokens

    def _frame(self, frame: bytes, after: int = 0) -> None:
        """A frame that is sent with token number ``after`` of its block."""
        self.frames.append([frame])
        self.beats.append(((self._tokens + after,), 0))
