"""Figures of one scope, from what the journal remembers of its requests."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from llmsim.server.journal.request_object import TOKENS
from llmsim.state.scopes import ScopeRecord
from llmsim.state.shared_state import SharedState


def scope_stats(shared: SharedState, record: ScopeRecord) -> dict[str, Any]:
    """Counts, tokens and times of the scope's requests since it began, or its statistics or its
    journal were reset.

    The workers' counters know no scopes, so that these cost them nothing: what the journal has
    forgotten is not in here.
    """
    since = max(record.journal, record.stats) / 1e9
    entries = [
        one
        for one in shared.newest(False)
        if one.scope == record.label and one.arrived >= record.stats / 1e9
    ]
    ended = [one for one in entries if one.end is not None]
    tokens = [sum(counts) for counts in zip(*(one.tokens for one in ended), strict=True)]
    return {
        "scope": record.name,
        "since_s": round(time.time() - since, 3),
        "requests": len(entries),
        "open": len(entries) - len(ended),
        "by_status": _counted(str(one.status) for one in ended),
        "by_model": _counted(one.model for one in entries),
        "by_endpoint": _counted(one.endpoint for one in entries),
        "errors": _counted(one.failure.value for one in ended if one.failure is not None),
        "mocks": _counted(one.mock for one in entries if one.mock),
        "tokens": dict(zip(TOKENS, tokens or [0] * len(TOKENS), strict=True)),
        "ttft_ms": _times([one.first for one in ended if one.first is not None]),
        "total_ms": _times([one.end for one in ended if one.end is not None]),
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _times(seconds: Sequence[float]) -> dict[str, float | None]:
    """Mean and percentiles in milliseconds; None where there is nothing."""
    ranked = sorted(seconds)
    if not ranked:
        return {"mean": None, "p50": None, "p99": None, "max": None}

    def at(share: float) -> float:
        return round(ranked[min(int(share * len(ranked)), len(ranked) - 1)] * 1e3, 3)

    mean = round(sum(ranked) / len(ranked) * 1e3, 3)
    return {"mean": mean, "p50": at(0.5), "p99": at(0.99), "max": at(1.0)}
