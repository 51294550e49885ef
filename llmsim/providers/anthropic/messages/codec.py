"""Anthropic Messages: the answer, plain and streamed.

Shapes as anthropic 2.12 types them in ``types.message`` and ``types.raw_message_stream_event``;
the order of members as the live service has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import orjson
from msgspec import structs

from llmsim.core import (
    Choice,
    Completion,
    HostedCallSegment,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Stamp,
    StreamScript,
    TextSegment,
    TokenCount,
    ToolCallSegment,
)
from llmsim.core.errors import Failure, invalid
from llmsim.providers.anthropic import errors as anthropic_errors
from llmsim.providers.anthropic.messages import content as messages_content
from llmsim.providers.anthropic.messages import documents, events, params, threads
from llmsim.providers.anthropic.messages import hosted as messages_hosted
from llmsim.providers.anthropic.messages import strict as messages_strict
from llmsim.providers.anthropic.messages.threads import Turn
from llmsim.providers.wire import partial_json, sse


class Anthropic:
    """``POST /v1/messages``. ``strict`` refuses all that the live service refuses."""

    name = "anthropic"

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict
        if strict:
            messages_strict.prepare()

    def decode(self, body: bytes) -> Request:
        request = params.read(body, self._strict)
        if self._strict:
            messages_strict.check_fields(body, "anthropic")
        return _checked(request, self._strict)

    def continued(self, request: Request, turns: Sequence[Turn]) -> Request:
        """A request that continues a thread with the turns before it. Raises BadRequest."""
        return _checked(threads.continued(request.wire, turns), self._strict)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        return _message(request, completion, stamp, b"standard")

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        return events.script(request, completion, stamp, b"standard")

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return sse.event(anthropic_errors.failure(failure, stamp)[1], b"error")


class AnthropicCount:
    """``POST /v1/messages/count_tokens``."""

    name = "anthropic_count"

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict

    def decode(self, body: bytes) -> Request:
        request = params.read_prompt(body, self._strict)
        if self._strict:
            messages_strict.check_fields(body, "anthropic_count_tokens")
        return _checked(request, self._strict)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, TokenCount)
        return b'{"input_tokens":%d}' % completion.made.prompt


class AnthropicBatch:
    """One request of a message batch, whose answer is never streamed."""

    name = "anthropic_batch"

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict

    def decode(self, body: bytes) -> Request:
        request = params.read(body, self._strict)
        if self._strict:
            messages_strict.check_fields(body, "anthropic")
        request = _checked(request, self._strict)
        if not request.messages:
            raise invalid("thread: not supported in message batches", "thread")
        return structs.replace(request, stream=False) if request.stream else request

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        return _message(request, completion, stamp, b"batch")


def _checked(request: Request, strict: bool) -> Request:
    if strict and request.messages:
        messages_strict.check(request.wire)
    return request


def _message(request: Request, completion: Completion, stamp: Stamp, tier: bytes) -> bytes:
    """A whole answer, served in a service tier."""
    completion = documents.with_citations(request, completion)
    choice = completion.choices[0]
    return b"".join(
        (
            messages_content.opening(request.model, stamp),
            _content(choice, messages_content.thinks_unseen(completion), stamp),
            b"],",
            messages_content.stop_members(choice),
            b',"usage":',
            messages_content.usage(completion, tier),
            b"}",
        )
    )


def _content(choice: Choice, unseen: bool, stamp: Stamp) -> bytes:
    """The blocks of a whole message; text of no tokens makes none."""
    blocks: list[bytes] = []
    if unseen:
        blocks.append(_thinking("", stamp))
    calls = ran = 0
    for segment in choice.segments:
        match segment:
            case TextSegment(generated=words, citations=cited) if cited:
                listed = b",".join(messages_hosted.citations(cited))
                text = orjson.dumps(words.text)
                blocks.append(b'{"type":"text","text":%b,"citations":[%b]}' % (text, listed))
            case TextSegment(generated=words) | RefusalSegment(generated=words):
                if words.tokens:
                    blocks.append(b'{"type":"text","text":%b}' % orjson.dumps(words.text))
            case ReasoningSegment(generated=words):
                blocks.append(_thinking(words.text, stamp))
            case ToolCallSegment(generated=words):
                arguments = orjson.dumps(partial_json.complete_value(words.text))
                blocks.append(messages_content.tool_use(segment, calls, stamp, arguments))
                calls += 1
            case HostedCallSegment(generated=words):
                blocks.append(messages_hosted.use(segment, ran, stamp, words.text.encode()))
                blocks.append(messages_hosted.result(segment, ran, stamp))
                ran += 1
            case _:
                assert_never(segment)
    return blocks[0] if len(blocks) == 1 else b",".join(blocks)


def _thinking(thought: str, stamp: Stamp) -> bytes:
    signed = messages_content.signature(stamp)
    return b'{"type":"thinking","thinking":%b,"signature":"%b"}' % (orjson.dumps(thought), signed)
