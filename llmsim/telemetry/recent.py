"""The times of the last seconds: by how much the histograms have grown since."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from llmsim.state.shm import histogram
from llmsim.telemetry.snapshot import Snapshot

SECONDS = 10.0
STALE = 2 * SECONDS
"""Seconds after which what was seen before says nothing about the last ones any more."""

SHARES = (50, 95, 99)

Quantiles: TypeAlias = dict[str, float] | None
"""In milliseconds, by "p50", "p95" and "p99"; None if nothing happened."""


class Recent:
    """What one reader of the counters has seen lately; asked about once a second."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, dict[str, list[int]]]] = deque()

    def times(self, snapshot: Snapshot, second: float) -> dict[str, Quantiles] | None:
        """Quantiles of what was counted in about the last :data:`SECONDS`, by name.

        ``second`` is now on the monotonic clock. None if nothing was seen yet that is old enough
        to compare with.
        """
        now = {
            "latency_ms": snapshot.latency.counts,
            "ttft_ms": snapshot.ttft.counts,
            "itl_ms": snapshot.itl.counts,
            "lateness_ms": snapshot.lateness.counts,
            "arrival_lag_ms": snapshot.arrival_lag.counts,
            "output_lag_ms": snapshot.output_lag.counts,
        }
        seen = self._seen
        while seen and (second - seen[0][0] > STALE or self._unneeded(second)):
            seen.popleft()
        before = seen[0][1] if seen else None
        seen.append((second, now))
        if before is None:
            return None
        return {name: _quantiles(before[name], counts) for name, counts in now.items()}

    def _unneeded(self, second: float) -> bool:
        """Whether the second oldest is old enough, too."""
        return len(self._seen) > 1 and second - self._seen[1][0] >= SECONDS


MINUTE = 60.0
EVERY = 5.0
"""Seconds between two samples of :class:`LastMinute`."""
SAMPLED = ("latency", "ttft", "itl", "queue", "lateness", "arrival_lag", "output_lag")


class LastMinute:
    """What one worker has seen of the last minute, to be sampled every :data:`EVERY` seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, list[int]]]] = deque()

    def sample(self, snapshot: Snapshot, second: float) -> None:
        """Remember the counters at ``second`` of the monotonic clock."""
        samples = self._samples
        samples.append((second, _counts(snapshot)))
        while len(samples) > 1 and second - samples[1][0] >= MINUTE:
            samples.popleft()

    def times(self, snapshot: Snapshot) -> dict[str, Quantiles] | None:
        """Quantiles of what was counted in about the last minute, or since the first sample where
        that is less; None if there is none yet."""
        if not self._samples:
            return None
        before = self._samples[0][1]
        return {
            f"{name}_ms": _quantiles(before[name], counts)
            for name, counts in _counts(snapshot).items()
        }


def _counts(snapshot: Snapshot) -> dict[str, list[int]]:
    return {name: getattr(snapshot, name).counts for name in SAMPLED}


def _quantiles(before: list[int], now: list[int]) -> Quantiles:
    grown = [max(0, new - old) for old, new in zip(before, now, strict=True)]
    if not any(grown):
        return None
    return {f"p{share}": round(histogram.quantile(grown, share / 100) * 1e3, 3) for share in SHARES}
