"""The scrape that is measured is of the size it says."""

from bench.scrape import MODELS, WORKERS, busy, milliseconds
from llmsim.config import Metrics
from llmsim.telemetry.snapshot import Snapshot


def test_the_boards_are_those_of_a_busy_server() -> None:
    boards = busy()
    assert sum(board.pid > 0 for board in boards) == WORKERS
    snapshot = Snapshot(boards)
    assert len(snapshot.by("model")) == MODELS
    assert snapshot.by("status").keys() == {"200", "400", "429", "499"}


def test_scrapes_take_time() -> None:
    assert min(milliseconds(busy()[:1], Metrics(), "", "", rounds=2)) > 0
