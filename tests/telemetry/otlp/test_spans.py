"""A request of the journal, and the span that it becomes."""

from typing import Any

import pytest
from msgspec import structs

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")

from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind, StatusCode

from llmsim.core.errors import FailureKind
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.shm.request_details import RequestDetails, encoded
from llmsim.telemetry.otlp.spans import operation_of, span

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ENTRY = JournalEntry(
    *("0" * 26, "/v1/chat/completions", "gpt-4o", 1000.0, 200, 7, 0.5, 1.5),
    *(0.501, 1.502, 0.002, 0.0, None, None, 12, 12, b"{}", b""),
    streamed=True,
    tokens=(10, 20, 3, 4),
)
DETAILS = RequestDetails(
    *("/v1/chat/completions?a=1", [], "", []),
    *(b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk"}', 58, "", "", "", "", []),
    *(b"", b"", ["stop"]),
)


def attributes(**changes: Any) -> dict[str, Any]:
    made = span(structs.replace(ENTRY, **changes), Resource.get_empty())
    return dict(made.attributes or {})


def test_an_answer() -> None:
    found = attributes(details=encoded(DETAILS))
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.501,
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "url.path": "/v1/chat/completions",
        "llmsim.request.id": "0" * 26,
        "llmsim.seed": 7,
        "llmsim.frames.sent": 12,
        "llmsim.lateness_max_ms": 2.0,
    }


def test_its_times() -> None:
    made = span(ENTRY, Resource.get_empty())
    assert (made.name, made.kind) == ("chat gpt-4o", SpanKind.SERVER)
    assert (made.start_time, made.end_time) == (1_000_000_000_000, 1_001_502_000_000)
    events = {one.name: (one.timestamp - 1_000_000_000_000) / 1e6 for one in made.events}
    assert events == {
        "llmsim.first_token.planned": 500,
        "llmsim.first_token": 501,
        "llmsim.end.planned": 1500,
        "llmsim.end": 1502,
    }


@pytest.mark.parametrize(
    ("traceparent", "known"),
    [
        (f"00-{TRACE}-{PARENT}-01", True),
        ("", False),
        ("00-x-y-01", False),
        (f"00-{'0' * 32}-{PARENT}-01", False),
    ],
)
def test_its_parent(traceparent: str, known: bool) -> None:
    made = span(structs.replace(ENTRY, traceparent=traceparent), Resource.get_empty())
    assert made.context.trace_id
    assert made.context.span_id
    if known:
        assert (made.context.trace_id, made.parent.span_id) == (int(TRACE, 16), int(PARENT, 16))
    else:
        assert made.parent is None


def test_a_failure() -> None:
    details = encoded(structs.replace(DETAILS, message="busy", rule="errors"))
    failed = structs.replace(
        ENTRY, status=529, failure=FailureKind.OVERLOADED, injected=True, details=details
    )
    made = span(failed, Resource.get_empty())
    assert (made.status.status_code, made.status.description) == (StatusCode.ERROR, "busy")
    found = dict(made.attributes or {})
    assert found["error.type"] == "overloaded"
    assert found["llmsim.error.injected"] is True
    assert found["llmsim.rule"] == "errors"
    assert "gen_ai.response.model" not in found


def test_a_client_that_left_is_no_error() -> None:
    made = span(structs.replace(ENTRY, status=499, details=encoded(DETAILS)), Resource.get_empty())
    assert made.status.status_code is StatusCode.UNSET
    assert "gen_ai.response.finish_reasons" not in (made.attributes or {})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"max_tokens": 9, "temperature": 1, "top_p": 0.5, "n": 2, "seed": 3}',
         {"max_tokens": 9, "temperature": 1.0, "top_p": 0.5, "choice.count": 2, "seed": 3}),
        (b'{"max_output_tokens": 9, "stop": "x"}', {"max_tokens": 9, "stop_sequences": ["x"]}),
        (b'{"top_k": 4, "stop_sequences": ["x", "y"]}',
         {"top_k": 4.0, "stop_sequences": ["x", "y"]}),
        (b'{"generationConfig": {"maxOutputTokens": 9, "topK": 4}}',
         {"max_tokens": 9, "top_k": 4.0}),
        (b'{"max_tokens": "9", "temperature": true, "stop": [1]}', {}),
        (b"no JSON", {}),
        (b"[]", {}),
    ],
)  # fmt: skip
def test_what_was_asked_for(body: bytes, expected: dict[str, Any]) -> None:
    found = attributes(body=body)
    start = "gen_ai.request."
    asked = {name.removeprefix(start): one for name, one in found.items() if name.startswith(start)}
    assert asked == {"model": "gpt-4o", "stream": True, **expected}


@pytest.mark.parametrize(
    ("endpoint", "operation", "provider"),
    [
        ("/v1/chat/completions", "chat", "openai"),
        ("/v1/completions", "text_completion", "openai"),
        ("/v1/responses", "chat", "openai"),
        ("/v1/embeddings", "embeddings", "openai"),
        ("/v1/messages", "chat", "anthropic"),
        ("/v1beta/models:generateContent", "generate_content", "gcp.gemini"),
        ("/v1beta/models:embedContent", "embeddings", "gcp.gemini"),
    ],
)
def test_endpoints(endpoint: str, operation: str, provider: str) -> None:
    assert operation_of(endpoint) == operation
    assert attributes(endpoint=endpoint)["gen_ai.provider.name"] == provider
