"""The thread that reads, driven by hand."""

from __future__ import annotations

from queue import Empty, Queue

import pytest

from llmsim.tui.history import Reading
from llmsim.tui.poller import ConnectionLost, Poller, Update
from llmsim.tui.stats import ServerStats
from llmsim.tui.stats_client import ReadError
from tests.tui.readings import server_stats

LONG = 60.0
LIMIT = 10.0


class Read:
    """Gives, one after the other, what the test says; waits where it has said nothing yet."""

    def __init__(self, *answers: ServerStats | str) -> None:
        self.answers: Queue[ServerStats | str] = Queue()
        for one in answers:
            self.answers.put(one)

    def __call__(self) -> ServerStats:
        try:
            answer = self.answers.get(timeout=LIMIT)
        except Empty:
            answer = "nobody said anything"
        if isinstance(answer, str):
            raise ReadError(answer)
        return answer


def test_tells_readings_and_losses_in_turn() -> None:
    heard: Queue[Update] = Queue()
    poller = Poller(Read(server_stats(1.0), "gone", server_stats(2.0)), interval=0.0)
    poller.start(heard.put)
    first, lost = heard.get(timeout=LIMIT), heard.get(timeout=LIMIT)
    poller.now()  # a lost server is not waited for when somebody asks
    second = heard.get(timeout=LIMIT)
    poller.end()
    assert isinstance(first, Reading)
    assert first.stats == server_stats(1.0)
    assert isinstance(lost, ConnectionLost)
    assert lost.reason == "gone"
    assert isinstance(second, Reading)
    assert first.at <= lost.at <= second.at


@pytest.mark.parametrize("paused", [False, True])
def test_reads_at_once_when_asked(paused: bool) -> None:
    heard: Queue[Update] = Queue()
    poller = Poller(Read(server_stats(1.0), server_stats(2.0)), interval=LONG)
    poller.start(heard.put)
    heard.get(timeout=LIMIT)
    poller.pause(paused)
    poller.now()
    again = heard.get(timeout=LIMIT)
    poller.end()
    assert isinstance(again, Reading)
    assert again.stats.uptime_s == 2.0


def test_goes_on_after_a_pause() -> None:
    heard: Queue[Update] = Queue()
    poller = Poller(Read(server_stats(1.0), server_stats(2.0)), interval=LONG)
    poller.start(heard.put)
    heard.get(timeout=LIMIT)
    poller.pause(True)
    with pytest.raises(Empty):
        heard.get_nowait()
    poller.pause(False)
    assert isinstance(heard.get(timeout=LIMIT), Reading)
    poller.end()


def test_what_arrives_after_the_end_is_told_to_nobody() -> None:
    heard: Queue[Update] = Queue()
    read = Read()
    poller = Poller(read)
    poller.start(heard.put)
    poller.end()
    read.answers.put(server_stats(1.0))
    with pytest.raises(Empty):
        heard.get(timeout=0.05)
