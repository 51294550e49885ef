"""Recordings as OpenTelemetry spans (OTLP/JSON) with the attributes for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

from llmsim import __version__
from llmsim.recordings.recording import Recording, ResponseEnd
from llmsim.recordings.rows import row

CLIENT: Final = 3  # SPAN_KIND_CLIENT
ERROR: Final = 2  # STATUS_CODE_ERROR
SYSTEMS: Final = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gcp.gemini",
    "azure": "azure.ai.openai",
    "vertex": "gcp.vertex_ai",
    "bedrock": "aws.bedrock",
}


def otel(recordings: Iterable[Recording]) -> Iterator[str]:
    """One JSON document: one resource, one scope, a span for each recording."""
    resource = {"attributes": [_attribute("service.name", "llmsim")]}
    scope = json.dumps({"name": "llmsim", "version": __version__})
    yield f'{{"resourceSpans":[{{"resource":{json.dumps(resource)},"scopeSpans":[{{"scope":{scope},'
    yield '"spans":[\n'
    comma = ""
    for one in recordings:
        yield comma + json.dumps(_span(one), ensure_ascii=False)
        comma = ",\n"
    yield "\n]}]}]}\n"


def _span(one: Recording) -> dict[str, Any]:
    trace, parent = _parent(one)
    span: dict[str, Any] = {
        "traceId": trace,
        "spanId": sha256(one.id.encode()).hexdigest()[:16],
        "name": f"chat {one.model}".strip(),
        "kind": CLIENT,
        "startTimeUnixNano": str(round(one.arrived * 1e9)),
        "endTimeUnixNano": str(round((one.arrived + one.response.ended) * 1e9)),
        "attributes": [_attribute(*pair) for pair in _attributes(one).items()],
        "status": {} if _went_well(one) else {"code": ERROR},
    }
    return span | ({"parentSpanId": parent} if parent else {})


def _attributes(one: Recording) -> dict[str, Any]:
    seen = row(one)
    made: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": SYSTEMS.get(one.provider, one.provider),
        "gen_ai.request.model": one.model,
        "http.response.status_code": one.response.status,
        "url.path": one.request.path,
        "gen_ai.usage.input_tokens": seen.prompt_tokens,
        "gen_ai.usage.output_tokens": seen.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": seen.cached_tokens,
    }
    if seen.ttft is not None:
        made["gen_ai.response.time_to_first_chunk"] = seen.ttft
    if not _went_well(one):
        ended = one.response.end
        made["error.type"] = str(one.response.status) if ended is ResponseEnd.WHOLE else ended.value
    return made


def _went_well(one: Recording) -> bool:
    return one.response.end is ResponseEnd.WHOLE and 200 <= one.response.status < 300


def _parent(one: Recording) -> tuple[str, str]:
    """The ids of the trace and of the span above, from the request's ``traceparent``."""
    parts = one.correlation.get("traceparent", "").split("-")
    if len(parts) >= 4 and len(parts[1]) == 32 and len(parts[2]) == 16:
        return parts[1], parts[2]
    return sha256(b"trace" + one.id.encode()).hexdigest()[:32], ""


def _attribute(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"key": name, "value": {"intValue": str(value)}}
    if isinstance(value, float):
        return {"key": name, "value": {"doubleValue": value}}
    return {"key": name, "value": {"stringValue": str(value)}}
