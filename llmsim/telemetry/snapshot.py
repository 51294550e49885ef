"""The sum of all boards: what the whole server has done, at one moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llmsim.shared import histogram
from llmsim.shared.board import (
    CLOSED,
    FRAMES,
    LATENCY,
    LATENESS,
    LATEST,
    LONGEST,
    LOST,
    MODELS,
    OPENED,
    OTHER,
    SHORTEST,
    STARTED,
    TTFT,
    Board,
)

ABORTED_STATUS = 499
RATE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Worker:
    """A living worker and the slot it writes."""

    slot: int
    pid: int
    since: float


class Snapshot:
    """What the boards of all slots say together."""

    def __init__(self, boards: Iterable[Board]) -> None:
        boards = list(boards)
        cells = [board.cells for board in boards]
        self.started = sum(cell[STARTED] for cell in cells)
        self.lost = sum(cell[LOST] for cell in cells)
        self.streams_opened = sum(cell[OPENED] for cell in cells)
        self.streams_open = self.streams_opened - sum(cell[CLOSED] for cell in cells)
        self.frames = sum(cell[FRAMES] for cell in cells)
        self.rows = [row for board in boards for row in board.rows()]
        self.finished = sum(row.columns["count"] for row in self.rows)
        self.longest = max((cell[LONGEST] for cell in cells), default=0) / 1e6
        self.shortest = min((c[SHORTEST] - 1 for c in cells if c[SHORTEST]), default=0) / 1e6
        self.latest = max((cell[LATEST] for cell in cells), default=0) / 1e6
        self.latency = _Times(boards, LATENCY)
        self.ttft = _Times(boards, TTFT)
        self.lateness = _Times(boards, LATENESS)
        self._rates = [pair for board in boards for pair in board.rates()]

    @property
    def active(self) -> int:
        """Requests that have arrived and are not yet answered."""
        return self.started - self.finished - self.lost

    def by(self, attribute: str, column: str = "count") -> dict[str, int]:
        """A column summed by "endpoint", "model" or "status", greatest first."""
        sums: Counter[str] = Counter()
        for row in self.rows:
            sums[str(getattr(row, attribute))] += row.columns[column]
        if attribute == "model":
            sums = _bounded(sums)
        return dict(sums.most_common())

    def total(self, column: str) -> int:
        """A column summed over all rows."""
        return sum(row.columns[column] for row in self.rows)

    def rate(self, second: float, uptime: float) -> float:
        """Requests finished a second over the last minute, or since the start if that is less;
        ``second`` is now on the monotonic clock. The second that runs is left out."""
        last = int(second)
        counted = sum(count for at, count in self._rates if last - RATE_SECONDS <= at < last)
        return counted / max(1.0, min(RATE_SECONDS, uptime))


class _Times:
    """A histogram summed over all boards; results in seconds."""

    def __init__(self, boards: Iterable[Board], start: int) -> None:
        read = [board.histogram(start) for board in boards]
        self.sum = sum(one for one, _ in read) / 1e6
        self.counts = histogram.total(counts for _, counts in read)
        self.count = sum(self.counts)

    @property
    def mean(self) -> float:
        return self.sum / self.count if self.count else 0.0

    def quantile(self, share: float) -> float:
        return histogram.quantile(self.counts, share)


def _bounded(sums: Counter[str]) -> Counter[str]:
    """At most :data:`MODELS` names, the most used ones; the rest together under one."""
    if len(sums) <= MODELS:
        return sums
    kept = Counter({name: count for name, count in sums.most_common(MODELS) if name != OTHER})
    kept[OTHER] = sum(sums.values()) - sum(kept.values())
    return kept


def stats(
    snapshot: Snapshot, workers: Iterable[Worker], uptime: float, second: float
) -> dict[str, Any]:
    """``GET /llmsim/stats``: times in milliseconds, counts since the start."""
    statuses = snapshot.by("status")
    aborted = statuses.get(str(ABORTED_STATUS), 0) + snapshot.lost
    errors = {status: count for status, count in statuses.items() if int(status) >= 400}
    return {
        "uptime_s": round(uptime, 3),
        "workers": [
            {"slot": one.slot, "pid": one.pid, "since": round(one.since, 3)} for one in workers
        ],
        "requests": {
            "total": snapshot.started,
            "finished": snapshot.finished - statuses.get(str(ABORTED_STATUS), 0),
            "aborted": aborted,
            "lost": snapshot.lost,
            "active": snapshot.active,
            "active_streaming": snapshot.streams_open,
            "active_non_streaming": max(0, snapshot.active - snapshot.streams_open),
            "streaming": snapshot.total("streamed"),
            "non_streaming": snapshot.finished - snapshot.total("streamed"),
            "per_second": round(snapshot.rate(second, uptime), 3),
        },
        "endpoints": snapshot.by("endpoint"),
        "models": _models(snapshot),
        "statuses": statuses,
        "errors": {"total": sum(errors.values()), "by_status": errors},
        "tokens": {
            "prompt": snapshot.total("prompt"),
            "completion": snapshot.total("completion"),
            "reasoning": snapshot.total("reasoning"),
            "cached": snapshot.total("cached"),
        },
        "latency_ms": {
            "avg": _ms(snapshot.latency.mean),
            "min": _ms(snapshot.shortest),
            "max": _ms(snapshot.longest),
            **_quantiles(snapshot.latency, snapshot.longest),
        },
        "ttft_ms": {"avg": _ms(snapshot.ttft.mean), **_quantiles(snapshot.ttft)},
        "lateness_ms": {
            "frames": snapshot.frames,
            "max": _ms(snapshot.latest),
            **_quantiles(snapshot.lateness, snapshot.latest),
        },
    }


def _models(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = defaultdict(dict)
    for key, column in (("requests", "count"), ("prompt", "prompt"), ("completion", "completion")):
        for name, count in snapshot.by("model", column).items():
            told[name][key] = count
    return dict(told)


def _quantiles(times: _Times, longest: float = float("inf")) -> dict[str, float]:
    return {f"p{share:g}": _ms(min(times.quantile(share / 100), longest)) for share in (50, 95, 99)}


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
