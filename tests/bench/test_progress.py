"""A benchmark that runs says so at a terminal, and nowhere else."""

import io
import threading

import pytest

from bench.progress import progress


class Terminal(io.StringIO):
    """Sets ``written`` once a line is there."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal
        self.written = threading.Event()

    def isatty(self) -> bool:
        return self._terminal

    def flush(self) -> None:
        self.written.set()


def test_at_a_terminal_a_line_says_for_how_long() -> None:
    terminal = Terminal(True)
    times = iter([100.0, *[165.0] * 1000])
    with progress("pacing", terminal, 0.001, lambda: next(times)):
        assert terminal.written.wait(10)
    assert "pacing: measuring for 1:05 min …" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("fails", [False, True])
def test_elsewhere_nothing_is_written(fails: bool) -> None:
    file = Terminal(False)
    try:
        with progress("pacing", file, 0.0):
            if fails:
                raise OSError
    except OSError:
        pass
    assert file.getvalue() == ""
