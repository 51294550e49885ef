"""The thread that reads, driven by hand."""

from __future__ import annotations

from queue import Empty, Queue

import pytest

from llmsim.tui.reading import Reading
from llmsim.tui.source import ReadError
from llmsim.tui.stats import Stats
from llmsim.tui.watch import Lost, Told, Watch
from tests.tui.reading import told

LONG = 60.0
LIMIT = 10.0


class Read:
    """Gives, one after the other, what the test says; waits where it has said nothing yet."""

    def __init__(self, *answers: Stats | str) -> None:
        self.answers: Queue[Stats | str] = Queue()
        for one in answers:
            self.answers.put(one)

    def __call__(self) -> Stats:
        try:
            answer = self.answers.get(timeout=LIMIT)
        except Empty:
            answer = "nobody said anything"
        if isinstance(answer, str):
            raise ReadError(answer)
        return answer


def test_tells_readings_and_losses_in_turn() -> None:
    heard: Queue[Told] = Queue()
    watch = Watch(Read(told(1.0), "gone", told(2.0)), interval=0.0)
    watch.start(heard.put)
    first, lost = heard.get(timeout=LIMIT), heard.get(timeout=LIMIT)
    watch.now()  # a lost server is not waited for when somebody asks
    second = heard.get(timeout=LIMIT)
    watch.end()
    assert isinstance(first, Reading)
    assert first.stats == told(1.0)
    assert isinstance(lost, Lost)
    assert lost.why == "gone"
    assert isinstance(second, Reading)
    assert first.at <= lost.at <= second.at


@pytest.mark.parametrize("paused", [False, True])
def test_reads_at_once_when_asked(paused: bool) -> None:
    heard: Queue[Told] = Queue()
    watch = Watch(Read(told(1.0), told(2.0)), interval=LONG)
    watch.start(heard.put)
    heard.get(timeout=LIMIT)
    watch.pause(paused)
    watch.now()
    again = heard.get(timeout=LIMIT)
    watch.end()
    assert isinstance(again, Reading)
    assert again.stats.uptime_s == 2.0


def test_goes_on_after_a_pause() -> None:
    heard: Queue[Told] = Queue()
    watch = Watch(Read(told(1.0), told(2.0)), interval=LONG)
    watch.start(heard.put)
    heard.get(timeout=LIMIT)
    watch.pause(True)
    with pytest.raises(Empty):
        heard.get_nowait()
    watch.pause(False)
    assert isinstance(heard.get(timeout=LIMIT), Reading)
    watch.end()


def test_what_arrives_after_the_end_is_told_to_nobody() -> None:
    heard: Queue[Told] = Queue()
    read = Read()
    watch = Watch(read)
    watch.start(heard.put)
    watch.end()
    read.answers.put(told(1.0))
    with pytest.raises(Empty):
        heard.get(timeout=0.05)
