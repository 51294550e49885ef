"""Anthropic Messages: the answer, plain and streamed.

Shapes as anthropic 2.12 types them in ``types.message`` and ``types.raw_message_stream_event``;
the order of members as the live service has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import orjson
from msgspec import structs

from llmsim.dialects import (
    anthropic_answer,
    anthropic_envelope,
    anthropic_events,
    anthropic_request,
    anthropic_strict,
    anthropic_threads,
    cut_json,
    sse,
)
from llmsim.dialects.anthropic_threads import Turn
from llmsim.errors import Failure, invalid
from llmsim.exchange import (
    Ask,
    Called,
    Choice,
    Counted,
    Headers,
    Plan,
    Refused,
    Reply,
    Said,
    Script,
    Stamp,
    Thought,
)

_STREAM: Headers = [("content-type", sse.CONTENT_TYPE), ("cache-control", "no-cache")]


class Anthropic:
    """``POST /v1/messages``. ``strict`` refuses all that the live service refuses."""

    name = "anthropic"
    tier = b"standard"

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict

    def decode(self, body: bytes) -> Ask:
        return self._checked(anthropic_request.read(body, self._strict))

    def continued(self, ask: Ask, turns: Sequence[Turn]) -> Ask:
        """A request that continues a thread with the turns before it. Raises BadRequest."""
        return self._checked(anthropic_threads.continued(ask.wire, turns))

    def _checked(self, ask: Ask) -> Ask:
        if self._strict and ask.messages:
            anthropic_strict.check(ask.wire)
        return ask

    def failure(self, failure: Failure, stamp: Stamp) -> tuple[int, bytes]:
        return anthropic_envelope.failure(failure, stamp)

    def broken(self, ask: Ask, failure: Failure, stamp: Stamp, sent: int) -> bytes:
        return sse.event(anthropic_envelope.failure(failure, stamp)[1], b"error")

    def retry(self, after: float) -> Headers:
        return anthropic_envelope.retry(after)

    def headers(self, plan: Plan, stamp: Stamp) -> Headers:
        head = anthropic_envelope.headers(stamp)
        return [*_STREAM, *head] if plan.stream else [anthropic_envelope.JSON, *head]

    def plain(self, ask: Ask, reply: Reply, stamp: Stamp) -> bytes:
        choice = reply.choices[0]
        return b"".join(
            (
                anthropic_answer.opening(ask.model, stamp),
                _content(choice, anthropic_answer.thinks_unseen(reply), stamp),
                b"],",
                anthropic_answer.stopped(choice),
                b',"usage":',
                anthropic_answer.usage(reply.usage, self.tier),
                b"}",
            )
        )

    def script(self, ask: Ask, reply: Reply, stamp: Stamp) -> Script:
        return anthropic_events.script(ask, reply, stamp, self.tier)


class AnthropicCount(Anthropic):
    """``POST /v1/messages/count_tokens``."""

    name = "anthropic_count"

    def decode(self, body: bytes) -> Ask:
        return self._checked(anthropic_request.read_prompt(body, self._strict))

    def plain(self, ask: Ask, reply: Reply, stamp: Stamp) -> bytes:
        assert isinstance(reply.made, Counted)
        return b'{"input_tokens":%d}' % reply.made.prompt


class AnthropicBatch(Anthropic):
    """One request of a message batch: never streamed."""

    name = "anthropic_batch"
    tier = b"batch"

    def decode(self, body: bytes) -> Ask:
        ask = super().decode(body)
        if not ask.messages:
            raise invalid("thread: not supported in message batches", "thread")
        return structs.replace(ask, stream=False) if ask.stream else ask


def _content(choice: Choice, unseen: bool, stamp: Stamp) -> bytes:
    """The blocks of a whole message; text of no tokens makes none."""
    blocks: list[bytes] = []
    if unseen:
        blocks.append(_thinking("", stamp))
    calls = 0
    for segment in choice.segments:
        match segment:
            case Said(words=words) | Refused(words=words):
                if words.tokens:
                    blocks.append(b'{"type":"text","text":%b}' % orjson.dumps(words.text))
            case Thought(words=words):
                blocks.append(_thinking(words.text, stamp))
            case Called(words=words):
                given = orjson.dumps(cut_json.whole(words.text))
                blocks.append(anthropic_answer.tool_use(segment, calls, stamp, given))
                calls += 1
            case _:
                assert_never(segment)
    return blocks[0] if len(blocks) == 1 else b",".join(blocks)


def _thinking(said: str, stamp: Stamp) -> bytes:
    signed = anthropic_answer.signature(stamp)
    return b'{"type":"thinking","thinking":%b,"signature":"%b"}' % (orjson.dumps(said), signed)
