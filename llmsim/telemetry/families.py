"""What ``/metrics`` is made of: families of samples, from what was counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric

from llmsim.state.shm.histogram import UPPER
from llmsim.telemetry.snapshot import TimeHistograms

Example = tuple[tuple[str, ...], float, str, float]
"""A request that a histogram counts: label values, seconds, id and Unix time."""

NONE: Mapping[str, str] = {}
Labels = Mapping[tuple[str, ...], float]


def counter(name: str, meaning: str, labels: Sequence[str], values: Labels) -> Metric:
    """A counter, one sample for each set of label values."""
    made = CounterMetricFamily(name, meaning, labels=labels)
    for key, value in values.items():
        made.add_metric(key, value)
    return made


def gauge(name: str, meaning: str, labels: Sequence[str], values: Labels) -> Metric:
    """A gauge, one sample for each set of label values."""
    made = GaugeMetricFamily(name, meaning, labels=labels)
    for key, value in values.items():
        made.add_metric(key, value)
    return made


def one(value: float) -> Labels:
    """The value of a family without labels."""
    return {(): value}


class BucketBounds:
    """The buckets of a family: bounds of the counters' own, so that nothing is estimated.

    Two an octave, from at least ``shortest`` to at least ``longest`` seconds.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        self._indexes = list(_indexes(shortest * 1e6, longest * 1e6))
        self.seconds = [UPPER[index] / 1e6 for index in self._indexes]
        self._names = [repr(bound) for bound in self.seconds] + ["+Inf"]

    def histogram(
        self, name: str, meaning: str, times: TimeHistograms, labels: Mapping[str, str] = NONE
    ) -> Metric:
        """A histogram of ``times``, with constant labels."""
        made = HistogramMetricFamily(name, meaning, labels=list(labels))
        buckets = list(zip(self._names, self._counts(times), strict=True))
        made.add_metric(list(labels.values()), buckets, times.sum)
        return made

    def text(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str],
        values: Mapping[tuple[str, ...], TimeHistograms],
        examples: Iterable[Example] = (),
    ) -> str:
        """A histogram for each set of label values, as both formats have it: the library takes
        twenty times as long. Of the examples, the first in a bucket is shown."""
        exemplars = self._by_bucket(examples)
        lines = [f"# HELP {name} {meaning}", f"# TYPE {name} histogram"]
        for key, times in values.items():
            shown = ",".join(
                f'{label}="{_escaped(value)}"' for label, value in zip(labels, key, strict=True)
            )
            counts = self._counts(times)
            for bound, count in zip(self._names, counts, strict=True):
                line = f'{name}_bucket{{{shown},le="{bound}"}} {count}.0'
                found = exemplars.get((key, bound))
                lines.append(line if found is None else line + found)
            lines.append(f"{name}_count{{{shown}}} {counts[-1]}.0")
            lines.append(f"{name}_sum{{{shown}}} {times.sum!r}")
        return "\n".join(lines) + "\n"

    def _counts(self, times: TimeHistograms) -> list[int]:
        """How many are below each bound, and how many there are."""
        below = list(accumulate(times.counts))
        return [below[index] for index in self._indexes] + [below[-1]]

    def _by_bucket(self, examples: Iterable[Example]) -> dict[tuple[tuple[str, ...], str], str]:
        """What is put behind the line of a bucket, by label values and bound."""
        found: dict[tuple[tuple[str, ...], str], str] = {}
        for key, seconds, request, at in examples:
            index = sum(bound <= seconds for bound in self.seconds)
            text = f' # {{request_id="{request}"}} {seconds!r} {round(at, 3)!r}'
            found.setdefault((key, self._names[index]), text)
        return found


def _escaped(value: str) -> str:
    """A label's value between its quotes."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _indexes(shortest: float, longest: float) -> Iterator[int]:
    bounds = (index for index in range(15, len(UPPER)) if index % 8 == 7)
    for index in bounds:
        if UPPER[index] >= shortest:
            yield index
            if UPPER[index] >= longest:
                return
