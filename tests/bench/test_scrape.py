"""The scrape that is measured is of the size it says."""

from bench.scrape import MODELS, WORKERS, busy, milliseconds
from llmsim.config import Metrics
from llmsim.telemetry.snapshot import Snapshot


def test_the_boards_are_those_of_a_busy_server() -> None:
    all_counters = busy()
    assert sum(counters.pid > 0 for counters in all_counters) == WORKERS
    snapshot = Snapshot(all_counters)
    assert len(snapshot.by("model")) == MODELS
    assert snapshot.by("status").keys() == {"200", "400", "429", "499"}


def test_scrapes_take_time() -> None:
    assert min(milliseconds(busy()[:1], Metrics(), "", "", rounds=2)) > 0
