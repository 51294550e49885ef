"""Times as counts: as fine as they were, and added up over workers."""

import pytest

from llmsim.loadtest.measures import Measures, rounded


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.0, 0.0),
        (0.012345, 0.0123),
        (1.2345, 1.23),
        (123.456, 123.0),
        (9876.5, 9880.0),
        (-0.5, -0.5),
    ],
)
def test_three_digits_are_kept(value: float, kept: float) -> None:
    assert rounded(value) == kept


def test_percentiles() -> None:
    measures = Measures()
    for value in range(1, 101):
        measures.add("TTFT", value / 100)
    assert [measures.percentile("TTFT", part) for part in (0.5, 0.95, 1.0)] == [0.5, 0.95, 1.0]
    assert measures.percentile("ITL", 0.5) is None


def test_workers_are_added_up_once() -> None:
    master, workers = Measures(), [Measures(), Measures()]
    for worker in workers:
        worker.add("total", 2.5)
        master.merge(worker.taken())
        master.merge(worker.taken())
    (head, line) = master.lines()
    assert head.split() == ["milliseconds", "count", "p50", "p90", "p95", "p99"]
    assert line.split() == ["total", "2", "2.5", "2.5", "2.5", "2.5"]
