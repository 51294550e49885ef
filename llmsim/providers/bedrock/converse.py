"""Converse: the answer, plain and streamed, and the count of a prompt's tokens."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec
import orjson
from msgspec import Struct, structs

from llmsim.core import (
    Choice,
    Completion,
    Count,
    Finish,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Stamp,
    StreamScript,
    TextSegment,
    TokenCount,
    ToolCallSegment,
    Usage,
)
from llmsim.core.errors import BadRequest, Failure, invalid
from llmsim.providers.anthropic.errors import call_id
from llmsim.providers.anthropic.messages.codec import Anthropic
from llmsim.providers.anthropic.messages.content import signature
from llmsim.providers.bedrock import errors, events, requests
from llmsim.providers.bedrock.requests import ConverseRequest
from llmsim.providers.wire import partial_json
from llmsim.providers.wire.decoding import MalformedBody, decode

REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOLS: "tool_use",
    Finish.FILTER: "content_filtered",
}
OWN_REASONS = (
    "guardrail_intervened",
    "malformed_model_output",
    "malformed_tool_use",
    "model_context_window_exceeded",
)
"""Reasons that only a mock gives."""


class BedrockConverse:
    """``/model/{id}/converse`` and ``converse-stream``. ``model`` and ``stream`` None are for a
    body that says it; ``strict`` refuses all that Anthropic does of its own models."""

    name = "bedrock_converse"

    def __init__(
        self, model: str | None = None, stream: bool | None = None, strict: bool = False
    ) -> None:
        self._model = model
        self._stream = stream
        self._strict = strict
        self._lenient = Anthropic()
        self._checking = Anthropic(strict)

    def decode(self, body: bytes) -> Request:
        wire = requests.read(body)
        stream = wire.stream is True if self._stream is None else self._stream
        return self.asked(wire, named(self._model, wire.model), stream)

    def asked(self, wire: ConverseRequest, model: str, stream: bool = False) -> Request:
        """A decoded request in neutral terms; its ``wire`` is the one of Converse."""
        codec = self._checking if "claude" in model else self._lenient
        try:
            request = codec.decode(requests.in_anthropics_words(wire, model, stream))
        except BadRequest as bad:
            failed = bad.failure
            message = f"The model returned the following errors: {failed.message}"
            raise invalid(message, failed.param) from None
        config = wire.inference_config
        limit = None if config is None else config.max_tokens
        return structs.replace(request, model=model, wire=wire, max_tokens=limit)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        choice = completion.choices[0]
        answer: dict[str, Any] = {
            "metrics": {"latencyMs": 0},
            "output": {"message": {"content": _content(choice, stamp), "role": "assistant"}},
            "stopReason": stop_reason(choice, request),
            "usage": usage(completion.usage),
        }
        trace = traced(choice, request)
        return orjson.dumps(answer | ({"trace": trace} if trace else {}))

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        choice = completion.choices[0]
        trace = traced(choice, request)
        metadata = {"usage": usage(completion.usage), "metrics": {"latencyMs": 0}}
        metadata |= {"trace": trace} if trace else {}
        return events.script(choice, stop_reason(choice, request), metadata, stamp)

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return errors.failure_event(failure)


def named(model: str | None, in_body: str | None) -> str:
    """The model of the path, or else of the body. Raises BadRequest."""
    if model is not None:
        return model
    if not in_body:
        raise requests.refuse(MalformedBody("missing", "model"))
    return in_body


def _content(choice: Choice, stamp: Stamp) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    calls = 0
    for segment in choice.segments:
        words = segment.generated
        match segment:
            case TextSegment() | RefusalSegment():
                if words.tokens:
                    blocks.append({"text": words.text})
            case ReasoningSegment():
                thought = {"text": words.text, "signature": signature(stamp).decode()}
                blocks.append({"reasoningContent": {"reasoningText": thought}})
            case ToolCallSegment():
                called = {"toolUseId": call_id(stamp, calls), "name": segment.name}
                arguments = partial_json.complete_value(words.text)
                blocks.append({"toolUse": {**called, "input": arguments}})
                calls += 1
    return blocks


def stop_reason(choice: Choice, request: Request) -> str:
    """Why the answer ended, in Bedrock's words."""
    if choice.reason in OWN_REASONS:
        return str(choice.reason)
    if choice.finish is Finish.FILTER and request.wire.guardrail_config is not None:
        return "guardrail_intervened"
    return "stop_sequence" if choice.stop is not None else REASONS[choice.finish]


def usage(used: Usage) -> dict[str, int]:
    """Token counts, of which input has no cached ones."""
    read, written = used.cached, used.cache_written
    return {
        "inputTokens": used.prompt - read - written,
        "outputTokens": used.completion,
        "totalTokens": used.total,
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": written,
    }


def traced(choice: Choice, request: Request) -> dict[str, Any]:
    """What the guardrail says where it is asked: that it let the answer through, or why not."""
    config = request.wire.guardrail_config
    if config is None or config.trace not in ("enabled", "enabled_full"):
        return {}
    if stop_reason(choice, request) != "guardrail_intervened":
        return {"guardrail": {"actionReason": "No action."}}
    found = {"type": "VIOLENCE", "confidence": "MEDIUM", "action": "BLOCKED", "detected": True}
    policy = {"contentPolicy": {"filters": [found]}}
    assessed = {config.guardrail_identifier or "guardrail": [policy]}
    return {"guardrail": {"actionReason": "Guardrail blocked.", "outputAssessments": assessed}}


class InvokedBody(Struct):
    body: str


class Counted(Struct, rename="camel"):
    converse: ConverseRequest | None = None
    invoke_model: InvokedBody | None = None


class CountRequest(Struct):
    input: Counted
    model: str | None = None


_counts = msgspec.json.Decoder(CountRequest)


class BedrockCount:
    """``/model/{id}/count-tokens`` of a Converse request, or of Anthropic's own in base64."""

    name = "bedrock_count"

    def __init__(self, model: str | None = None) -> None:
        self._model = model

    def decode(self, body: bytes) -> Request:
        try:
            wire = decode(_counts, body)
        except MalformedBody as mistake:
            raise requests.refuse(mistake) from None
        model = named(self._model, wire.model)
        if wire.input.converse is not None:
            return structs.replace(
                BedrockConverse().asked(wire.input.converse, model), task=Count()
            )
        if wire.input.invoke_model is None:
            raise requests.refuse(MalformedBody("missing", "input.converse"))
        try:
            members = orjson.loads(b64decode(wire.input.invoke_model.body))
        except ValueError:
            raise requests.refuse(MalformedBody("json", "")) from None
        if not isinstance(members, dict):
            raise requests.refuse(MalformedBody("json", ""))
        whole = {"max_tokens": 1, **members, "model": model, "stream": False}
        return structs.replace(Anthropic().decode(orjson.dumps(whole)), task=Count())

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, TokenCount)
        return b'{"inputTokens":%d}' % completion.made.prompt
