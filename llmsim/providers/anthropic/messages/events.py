"""Anthropic Messages: the events of a streamed answer (``types.raw_message_stream_event``).

The order is message_start and a ping, which need no token; for each block content_block_start, its
deltas, content_block_stop; message_delta, message_stop. There are more pings in long silences.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import assert_never

import orjson

from llmsim.core import (
    END,
    START,
    Completion,
    GeneratedText,
    HostedCallSegment,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Segment,
    Stamp,
    StreamScript,
    TextSegment,
    ToolCallSegment,
)
from llmsim.providers.anthropic.messages import content, documents, hosted
from llmsim.providers.anthropic.messages.content import UNSTOPPED
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun, BeatRuns

PING = sse.event(b'{"type": "ping"}', b"ping")
STOP = sse.event(b'{"type":"message_stop"}', b"message_stop")

_TEXT = b'{"type":"text","text":""}'
_CITED = b'{"type":"text","text":"","citations":[]}'
_THINKING = b'{"type":"thinking","thinking":"","signature":""}'


@lru_cache(maxsize=256)
def _deltas(index: int, kind: bytes, member: bytes) -> sse.Tails:
    """The deltas of one kind in the block at ``index``."""
    before = b'{"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":' % (
        index, kind, member,
    )  # fmt: skip

    def serialize(piece: str) -> bytes:
        return sse.event(before + orjson.dumps(piece) + b"}}", b"content_block_delta")

    return sse.Tails(serialize)


def _text_deltas(index: int) -> sse.Tails:
    return _deltas(index, b"text_delta", b"text")


@lru_cache(maxsize=256)
def _block_stop(index: int) -> bytes:
    return sse.event(b'{"type":"content_block_stop","index":%d}' % index, b"content_block_stop")


@lru_cache(maxsize=256)
def _block_start(index: int, block: bytes) -> bytes:
    return _started(index, block)


def _started(index: int, block: bytes) -> bytes:
    return sse.event(
        b'{"type":"content_block_start","index":%d,"content_block":%b}' % (index, block),
        b"content_block_start",
    )


def script(request: Request, completion: Completion, stamp: Stamp, tier: bytes) -> StreamScript:
    """The whole stream."""
    completion = documents.with_citations(request, completion)
    choice = completion.choices[0]
    start = b'{"type":"message_start","message":%b],%b,"usage":%b}}' % (
        content.opening(request.model, stamp),
        UNSTOPPED,
        content.start_usage(completion.usage, tier),
    )
    end = b'{"type":"message_delta","delta":{%b},"usage":%b}' % (
        content.stop_members(choice),
        content.final_usage(completion),
    )
    closing = [sse.event(end, b"message_delta"), STOP]
    opening = sse.event(start, b"message_start")
    unseen = content.thinks_unseen(completion)
    blocks = _BlockEvents(stamp)
    if unseen:
        blocks.unseen()
    for segment in choice.segments:
        blocks.add(segment)
    frames = sse.Chained([[opening, PING], *blocks.frames, closing])
    beats = BeatRuns([((START, START), 0), *blocks.beats, ((END, END), 0)])
    return StreamScript(sse.Spliced(b"", frames), beats, keepalive=PING)


class _BlockEvents:
    """The events of all blocks, and the beat of each."""

    def __init__(self, stamp: Stamp) -> None:
        self.frames: list[Sequence[bytes]] = []
        self.beats: list[BeatRun] = []
        self._stamp = stamp
        self._index = 0
        self._calls = 0
        self._ran = 0
        self._tokens = 0

    def unseen(self) -> None:
        """A thinking block with nothing but a signature."""
        self._open(_block_start(self._index, _THINKING))
        self._sign()
        self._close()

    def add(self, segment: Segment) -> None:
        """The block of one segment; text of no tokens makes none."""
        generated = segment.generated
        match segment:
            case TextSegment(citations=cited) if cited:
                self._open(_block_start(self._index, _CITED))
                self._pieces(generated, _text_deltas(self._index))
                for citation in hosted.citations(cited):
                    self._citation(citation, generated.tokens)
                self._close(generated.tokens)
            case TextSegment() | RefusalSegment():
                if generated.tokens:
                    self._open(_block_start(self._index, _TEXT))
                    self._pieces(generated, _text_deltas(self._index))
                    self._close(generated.tokens)
            case ReasoningSegment():
                self._open(_block_start(self._index, _THINKING))
                self._pieces(generated, _deltas(self._index, b"thinking_delta", b"thinking"))
                self._sign(generated.tokens)
                self._close(generated.tokens)
            case ToolCallSegment():
                self._call(segment)
            case HostedCallSegment():
                self._hosted(segment)
            case _:
                assert_never(segment)

    def _call(self, call: ToolCallSegment) -> None:
        head = content.tool_use(call, self._calls, self._stamp, b"{}")
        deltas = _deltas(self._index, b"input_json_delta", b"partial_json")
        self._calls += 1
        self._open(_started(self._index, head))
        self._frame(deltas[""])
        if call.generated.text != "{}":
            self._pieces(call.generated, deltas)
        self._close(call.generated.tokens)

    def _hosted(self, call: HostedCallSegment) -> None:
        """A call that the service answers itself: a block for it and one for its result, which is
        there whole."""
        deltas = _deltas(self._index, b"input_json_delta", b"partial_json")
        self._open(_started(self._index, hosted.use(call, self._ran, self._stamp, b"{}")))
        self._frame(deltas[""])
        self._pieces(call.generated, deltas)
        tokens = call.generated.tokens
        self._frame(_block_stop(self._index), max(0, tokens - 1))
        self._index += 1
        result = hosted.result(call, self._ran, self._stamp)
        self._frame(_started(self._index, result), max(0, tokens - 1))
        self._ran += 1
        self._close(tokens)

    def _citation(self, citation: bytes, tokens: int) -> None:
        delta = (
            b'{"type":"content_block_delta","index":%d,"delta":'
            b'{"type":"citations_delta","citation":%b}}' % (self._index, citation)
        )
        self._frame(sse.event(delta, b"content_block_delta"), max(0, tokens - 1))

    def _open(self, event: bytes) -> None:
        self._frame(event)

    def _pieces(self, generated: GeneratedText, deltas: sse.Tails) -> None:
        self.frames.append(sse.PieceTails(deltas, generated.pieces))
        self.beats.append((generated.ends, self._tokens))

    def _sign(self, tokens: int = 0) -> None:
        delta = b'{"type":"content_block_delta","index":%d,"delta":%b}' % (
            self._index,
            b'{"type":"signature_delta","signature":"%b"}' % content.signature(self._stamp),
        )
        self._frame(sse.event(delta, b"content_block_delta"), max(0, tokens - 1))

    def _close(self, tokens: int = 0) -> None:
        """Ends the block, which has ``tokens`` tokens."""
        self._frame(_block_stop(self._index), max(0, tokens - 1))
        self._index += 1
        self._tokens += tokens

    def _frame(self, event: bytes, after: int = 0) -> None:
        """A frame that is sent with token number ``after`` of its block."""
        self.frames.append([event])
        self.beats.append(((self._tokens + after,), 0))
