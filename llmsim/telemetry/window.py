"""Figures of a window: what was counted from one moment to another."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct

from llmsim.state.shm import histogram
from llmsim.telemetry.snapshot import Snapshot, TimeHistograms
from llmsim.telemetry.stats import ABORTED_STATUS

TIMES = ("latency", "ttft", "itl", "queue", "lateness", "arrival_lag", "output_lag")
SHARES = (50, 90, 95, 99)


class CountedTimes(Struct, frozen=True):
    """A histogram as it was: the sum in seconds, and the counts of its buckets."""

    sum: float
    counts: list[int]


class Mark(Struct, frozen=True):
    """What was counted until ``at``, a Unix time. ``rows`` are endpoint, model, status and the
    counted columns; ``errors`` are real and injected ones by kind."""

    at: float
    started: int
    frames: int
    rows: list[tuple[str, str, int, dict[str, int]]]
    errors: dict[str, tuple[int, int]]
    times: dict[str, CountedTimes]


def mark(snapshot: Snapshot, at: float) -> Mark:
    """The counters at this moment."""
    return Mark(
        at,
        snapshot.started,
        snapshot.frames,
        [(row.endpoint, row.model, row.status, row.columns) for row in snapshot.rows],
        {kind.value: (one.real, one.injected) for kind, one in snapshot.errors.items()},
        {name: _times(getattr(snapshot, name)) for name in TIMES},
    )


def figures(begin: Mark, end: Mark) -> dict[str, Any]:
    """What was counted between two moments; times in milliseconds, null where there were none."""
    before = {tuple(row[:3]): row[3] for row in begin.rows}
    statuses: Counter[str] = Counter()
    models: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for endpoint, model, status, columns in end.rows:
        then = before.get((endpoint, model, status), {})
        grown = {name: value - then.get(name, 0) for name, value in columns.items()}
        if grown["count"]:
            statuses[str(status)] += grown["count"]
            models[model] += grown["count"]
            sums.update(grown)
    seconds = max(end.at - begin.at, 1e-3)
    left = statuses[str(ABORTED_STATUS)]
    errors = {
        kind: {"real": real - begin.errors[kind][0], "injected": injected - begin.errors[kind][1]}
        for kind, (real, injected) in end.errors.items()
        if (real, injected) != tuple(begin.errors[kind])
    }
    failed = sum(one["real"] + one["injected"] for one in errors.values())
    finished = sums["count"] - left
    return {
        "requests": {
            "started": end.started - begin.started,
            "finished": finished,
            "aborted": left,
            "per_second": round(sums["count"] / seconds, 3),
        },
        "errors": {
            "total": failed,
            "share": round(failed / finished, 6) if finished else 0.0,
            "by_kind": errors,
        },
        "statuses": dict(statuses),
        "models": dict(models.most_common()),
        "tokens": {
            "prompt": sums["prompt"],
            "completion": sums["completion"],
            "per_second": round(sums["completion"] / seconds, 3),
        },
        "frames": end.frames - begin.frames,
        **{f"{name}_ms": _grown(begin.times[name], end.times[name]) for name in TIMES},
    }


def compared(windows: dict[str, dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Figures side by side: by their dotted names, the number of each window."""
    table: dict[str, dict[str, float | None]] = {}
    for window, document in windows.items():
        for name, number in _numbers(document):
            table.setdefault(name, dict.fromkeys(windows))[window] = number
    return table


def _numbers(document: dict[str, Any], prefix: str = "") -> list[tuple[str, float | None]]:
    found: list[tuple[str, float | None]] = []
    for name, value in document.items():
        if isinstance(value, dict):
            found += _numbers(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found


def _times(times: TimeHistograms) -> CountedTimes:
    return CountedTimes(times.sum, times.counts)


def _grown(before: CountedTimes, now: CountedTimes) -> dict[str, float | None]:
    counts = [max(0, new - old) for old, new in zip(before.counts, now.counts, strict=True)]
    total = sum(counts)
    if not total:
        return {"avg": None, **{f"p{share}": None for share in SHARES}}
    quantiles = {
        f"p{share}": round(histogram.quantile(counts, share / 100) * 1e3, 3) for share in SHARES
    }
    return {"avg": round((now.sum - before.sum) / total * 1e3, 3), **quantiles}
