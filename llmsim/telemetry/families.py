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
from prometheus_client.samples import Exemplar

from llmsim.state.shm.histogram import UPPER
from llmsim.telemetry.snapshot import TimeHistograms

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
        self,
        name: str,
        meaning: str,
        times: TimeHistograms,
        examples: Iterable[tuple[float, str, float]] = (),
        labels: Mapping[str, str] = NONE,
    ) -> Metric:
        """A histogram of ``times``; ``examples`` are (seconds, request, Unix time), of which the
        first in a bucket is shown. ``labels`` are constant ones."""
        below = list(accumulate(times.counts))
        counts = [below[index] for index in self._indexes] + [below[-1]]
        exemplars = self._by_bucket(examples)
        buckets = [
            (bound, count, exemplars[bound]) if bound in exemplars else (bound, count)
            for bound, count in zip(self._names, counts, strict=True)
        ]
        made = HistogramMetricFamily(name, meaning, labels=list(labels))
        made.add_metric(list(labels.values()), buckets, times.sum)
        return made

    def _by_bucket(self, examples: Iterable[tuple[float, str, float]]) -> dict[str, Exemplar]:
        found: dict[str, Exemplar] = {}
        for seconds, request, at in examples:
            index = sum(bound <= seconds for bound in self.seconds)
            found.setdefault(
                self._names[index], Exemplar({"request_id": request}, seconds, round(at, 3))
            )
        return found


def _indexes(shortest: float, longest: float) -> Iterator[int]:
    bounds = (index for index in range(15, len(UPPER)) if index % 8 == 7)
    for index in bounds:
        if UPPER[index] >= shortest:
            yield index
            if UPPER[index] >= longest:
                return
