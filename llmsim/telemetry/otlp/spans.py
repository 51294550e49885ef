"""A request of the journal as a span, in the words of the semantic conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import orjson
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from llmsim import __version__
from llmsim.core.scopes import name_of
from llmsim.providers import registry
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.shm.request_details import RequestDetails, decoded

Value: TypeAlias = str | bool | int | float | list[str]

SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
SCOPE: Final = InstrumentationScope("llmsim", __version__)
CLIENT_GONE: Final = 499

PROVIDERS: Final[Mapping[str, str]] = {"gemini": "gcp.gemini"}
"""Providers that the conventions call otherwise."""

OPERATIONS: Final[Mapping[str, str]] = {
    "completions": "text_completion",
    "embeddings": "embeddings",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
}
"""What a path's last word stands for; all others are a chat."""

PARAMETERS: Final[Mapping[str, tuple[str, type | tuple[type, ...]]]] = {
    "max_tokens": ("max_tokens", int),
    "max_completion_tokens": ("max_tokens", int),
    "max_output_tokens": ("max_tokens", int),
    "maxOutputTokens": ("max_tokens", int),
    "temperature": ("temperature", (int, float)),
    "top_p": ("top_p", (int, float)),
    "topP": ("top_p", (int, float)),
    "top_k": ("top_k", (int, float)),
    "topK": ("top_k", (int, float)),
    "frequency_penalty": ("frequency_penalty", (int, float)),
    "frequencyPenalty": ("frequency_penalty", (int, float)),
    "presence_penalty": ("presence_penalty", (int, float)),
    "presencePenalty": ("presence_penalty", (int, float)),
    "seed": ("seed", int),
    "n": ("choice.count", int),
    "candidateCount": ("choice.count", int),
}
"""Parameters of requests, by the names that providers give them: attribute and type."""

STOPS: Final = ("stop", "stop_sequences", "stopSequences")
_PARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)
_ID: Final = re.compile(rb'"(?:id|responseId)": ?"([^"\\]{1,128})"')
_HEAD: Final = 4096
"""Bytes of an answer in which its id is."""
_LARGE: Final = 1 << 18
"""Bytes of a body in which nobody looks for parameters: it would keep answers waiting."""


def span(entry: JournalEntry, resource: Resource) -> ReadableSpan:
    """The span of a request that has ended. Its parent is what ``traceparent`` names."""
    assert entry.end is not None
    details = decoded(entry.details)
    parent = _parent(entry.traceparent)
    trace = secrets.randbits(128) if parent is None else parent.trace_id
    operation = operation_of(entry.endpoint)
    return ReadableSpan(
        f"{operation} {entry.model}".strip(),
        SpanContext(trace, secrets.randbits(64) or 1, False, SAMPLED),
        parent,
        resource,
        attributes=dict(_attributes(entry, details, operation)),
        events=list(_events(entry)),
        kind=SpanKind.SERVER,
        status=_status(entry, details),
        start_time=_nanoseconds(entry.arrived),
        end_time=_nanoseconds(entry.arrived + entry.end),
        instrumentation_scope=SCOPE,
    )


def operation_of(endpoint: str) -> str:
    """What the conventions call the operation of an endpoint."""
    if endpoint.endswith("/chat/completions"):
        return "chat"
    return OPERATIONS.get(re.split("[/:]", endpoint)[-1], "chat")


def _attributes(
    entry: JournalEntry, details: RequestDetails | None, operation: str
) -> Iterator[tuple[str, Value]]:
    provider = registry.of_path(entry.endpoint).name
    yield "gen_ai.operation.name", operation
    yield "gen_ai.provider.name", PROVIDERS.get(provider, provider)
    yield "gen_ai.request.model", entry.model
    yield "gen_ai.request.stream", entry.streamed
    yield from _parameters(entry.body)
    if entry.failure is None:
        yield "gen_ai.response.model", entry.model
    prompt, completion, reasoning, cached = entry.tokens
    yield "gen_ai.usage.input_tokens", prompt
    yield "gen_ai.usage.output_tokens", completion
    if reasoning:
        yield "gen_ai.usage.reasoning.output_tokens", reasoning
    if cached:
        yield "gen_ai.usage.cache_read.input_tokens", cached
    if entry.streamed and entry.first is not None:
        yield "gen_ai.response.time_to_first_chunk", entry.first
    yield "http.request.method", "POST"
    yield "http.route", entry.endpoint
    yield "http.response.status_code", entry.status
    if entry.failure is not None:
        yield "error.type", entry.failure.value
        yield "llmsim.error.injected", entry.injected
    yield "llmsim.request.id", entry.mark
    yield "llmsim.seed", entry.seed
    yield "llmsim.frames.sent", entry.sent
    if entry.lateness is not None:
        yield "llmsim.lateness_max_ms", round(entry.lateness * 1e3, 3)
    if entry.mock:
        yield "llmsim.mock", entry.mock
    if entry.scope:
        yield "llmsim.scope", name_of(entry.scope)
    if details is not None:
        yield from _detailed(details)
        if details.finish_reasons and entry.status != CLIENT_GONE:
            yield "gen_ai.response.finish_reasons", details.finish_reasons


def _detailed(details: RequestDetails) -> Iterator[tuple[str, Value]]:
    found = _ID.search(details.answer[:_HEAD])
    if found is not None:
        yield "gen_ai.response.id", found[1].decode(errors="replace")
    if details.url:
        yield "url.path", details.url.partition("?")[0]
    if details.rule:
        yield "llmsim.rule", details.rule


def _parameters(body: bytes) -> Iterator[tuple[str, Value]]:
    """What a request asks for, as far as the conventions have a name for it."""
    try:
        fields = orjson.loads(body) if len(body) <= _LARGE else None
    except orjson.JSONDecodeError:
        return
    if not isinstance(fields, dict):
        return
    inner = fields.get("generationConfig")
    if isinstance(inner, dict):
        fields = {**fields, **inner}
    for name, (attribute, kind) in PARAMETERS.items():
        value: Any = fields.get(name)
        if isinstance(value, kind) and not isinstance(value, bool):
            number: Any = value
            yield f"gen_ai.request.{attribute}", number if kind is int else float(number)
    for name in STOPS:
        stop: Any = fields.get(name)
        stops = [stop] if isinstance(stop, str) else stop
        if isinstance(stops, list) and stops and all(isinstance(one, str) for one in stops):
            yield "gen_ai.request.stop_sequences", stops


def _events(entry: JournalEntry) -> Iterator[Event]:
    """When the first token and the end were planned, and when they were there."""
    moments = [
        ("llmsim.first_token.planned", entry.planned_ttft),
        ("llmsim.first_token", entry.first),
        ("llmsim.end.planned", entry.planned_total),
        ("llmsim.end", entry.end),
    ]
    for name, after in moments:
        if after is not None:
            at = _nanoseconds(entry.arrived + after)
            yield Event(name, {"llmsim.after_ms": round(after * 1e3, 3)}, at)


def _status(entry: JournalEntry, details: RequestDetails | None) -> Status:
    """A client that left is no error of the server's."""
    if entry.failure is None or entry.status == CLIENT_GONE:
        return Status(StatusCode.UNSET)
    message = details.message if details is not None else ""
    return Status(StatusCode.ERROR, message or entry.failure.value)


def _parent(traceparent: str) -> SpanContext | None:
    found = _PARENT.match(traceparent)
    if found is None:
        return None
    trace, parent = int(found[1], 16), int(found[2], 16)
    if not trace or not parent:
        return None
    return SpanContext(trace, parent, True, SAMPLED)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
