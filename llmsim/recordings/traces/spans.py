"""OpenTelemetry spans of calls to models, flattened: a span's own fields and its attributes.

Both ways in which spans come as JSON: OTLP/JSON (``resourceSpans`` …, attribute values with types,
times in nanoseconds), and one object a span with plain ``attributes`` and dates. Their names:
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import structs

from llmsim.recordings.traces.row import TraceError, TraceRow

PREFIX = "gen_ai."


def flattened(document: Any, where: str) -> Iterator[dict[str, Any]]:
    """The spans of a document that tell of a call to a model. Raises TraceError."""
    for span in _spans(document, where):
        attributes = span.get("attributes", {})
        if isinstance(attributes, list):
            attributes = {one["key"]: _plain(one.get("value", {})) for one in attributes}
        if not any(name.startswith(PREFIX) for name in attributes):
            continue
        cells = dict(attributes)
        for name, nanoseconds in (
            ("start_time", "startTimeUnixNano"),
            ("end_time", "endTimeUnixNano"),
        ):
            if nanoseconds in span:
                cells[name] = int(span[nanoseconds]) / 1e9
            elif name in span:
                cells[name] = span[name]
        yield cells


def finished(row: TraceRow, _: Mapping[str, Any]) -> TraceRow:
    """The row with its whole duration in place of its end."""
    if row.total is None:
        return row
    return structs.replace(row, total=row.total - row.arrived)


def messages(value: Any) -> tuple[dict[str, Any], ...]:
    """The input as messages of role and text."""
    return tuple({"role": one.get("role", "user"), "content": _text(one)} for one in _list(value))


def said(value: Any) -> str:
    """The text of the output."""
    return "".join(_text(one) for one in _list(value))


def reason(value: Any) -> str:
    """The first finish reason."""
    found = _list(value)
    return str(found[0]) if found else ""


def _spans(document: Any, where: str) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        for one in document:
            yield from _spans(one, where)
    elif not isinstance(document, dict):
        raise TraceError(f"{where}: a span is a JSON object, not {document!r}")
    elif "resourceSpans" in document:
        for resource in document["resourceSpans"]:
            for scope in resource.get("scopeSpans", ()):
                yield from scope.get("spans", ())
    else:
        yield document


def _plain(value: Mapping[str, Any]) -> Any:
    """An OTLP attribute value without its type."""
    for kind, content in value.items():
        if kind == "intValue":
            return int(content)
        if kind == "arrayValue":
            return [_plain(one) for one in content.get("values", ())]
        if kind == "kvlistValue":
            return {one["key"]: _plain(one["value"]) for one in content.get("values", ())}
        return content
    return None


def _list(value: Any) -> list[Any]:
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found


def _text(message: Any) -> str:
    if not isinstance(message, dict):
        return str(message)
    if isinstance(message.get("content"), str):
        return str(message["content"])
    parts = message.get("parts", ())
    texts = (one.get("content") for one in parts if one.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))
