"""A request of the journal as JSON."""

from __future__ import annotations

import re
from typing import Any

import orjson

from llmsim.core.scopes import name_of
from llmsim.state.shm.journal import JournalEntry
from llmsim.state.shm.request_details import RequestDetails, decoded

TOKENS = ("prompt", "completion", "reasoning", "cached")
_MARKER = re.compile(rb"\[\[llmsim:id=([\w.:-]{1,128})\]\]", re.ASCII)


def request_object(entry: JournalEntry) -> dict[str, Any]:
    """What its record says; times in milliseconds after arrival, null until known."""
    return {
        "id": entry.mark,
        "endpoint": entry.endpoint,
        "model": entry.model,
        "status": entry.status or None,
        "seed": entry.seed,
        "arrived": entry.arrived,
        "planned": {"ttft_ms": _ms(entry.planned_ttft), "total_ms": _ms(entry.planned_total)},
        "actual": {"first_ms": _ms(entry.first), "total_ms": _ms(entry.end)},
        "arrival_lag_ms": _ms(entry.arrival_lag),
        "lateness_max_ms": _ms(entry.lateness),
        "output_lag_max_ms": _ms(entry.output_lag),
        "delivery_lateness_max_ms": _ms(entry.delivery_lateness),
        "frames": {"planned": entry.frames, "sent": entry.sent},
        "stream": entry.streamed,
        "tokens": dict(zip(TOKENS, entry.tokens, strict=True)),
        "x_request_id": entry.request_id or None,
        "traceparent": entry.traceparent or None,
        "error": None if entry.failure is None else entry.failure.value,
        "injected": entry.injected,
        "mock": entry.mock or None,
        "scope": name_of(entry.scope) or None,
    }


def whole_request_object(entry: JournalEntry) -> dict[str, Any]:
    """All that is known of it: its body, and the details where they are kept."""
    found = request_object(entry)
    found["marker"] = marker(entry.body)
    found["request"] = _body(entry.body)
    details = decoded(entry.details)
    found["details"] = None if details is None else _details(details)
    return found


def marker(body: bytes) -> str | None:
    """The id that is in a request's text, ``[[llmsim:id=ID]]``: for clients behind gateways that
    let no header through."""
    found = _MARKER.search(body)
    return None if found is None else found[1].decode()


def _details(details: RequestDetails) -> dict[str, Any]:
    return {
        "url": details.url or None,
        "headers": [list(one) for one in details.headers],
        "key": details.key or None,
        "message": details.message or None,
        "rule": details.rule or None,
        "override": details.override or None,
        "recording": details.recording or None,
        "limits": [
            {"limit": name, "of": most, "before": before, "after": after}
            for name, most, before, after in details.limits
        ],
        "response_headers": [list(one) for one in details.response_headers],
        "answer": details.answer.decode(errors="replace"),
        "answer_bytes": details.answer_bytes,
        "finish_reasons": details.finish_reasons,
        "frames": {
            "due_ms": [_ms(at) for at in details.due_times()],
            "left_ms": [_ms(at) for at in details.left_times()],
        },
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e3, 3)


def _body(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
