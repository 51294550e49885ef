"""The dashboard in a real terminal: tmux, with a real server behind it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live import http1
from tests.serving import Server, free_port

LIMIT = 30.0

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """A tmux of its own, 80×24; whatever runs in it ends in a line with its exit code."""

    def __init__(self, folder: Path) -> None:
        self._socket = str(folder / "tmux")

    def start(self, args: str, term: str = "xterm") -> None:
        command = f"TERM={term} COLORTERM= {sys.executable} -m llmsim {args}; echo exit=$?; read x"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command)

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def until(self, *texts: str) -> str:
        """The screen once all these texts are on it."""
        deadline = time.monotonic() + LIMIT
        while not all(text in (screen := self.screen()) for text in texts):
            assert time.monotonic() < deadline, f"{texts} not on the screen:\n{screen}"
            time.sleep(0.05)
        return screen

    def end(self) -> None:
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False)

    def _tmux(self, *args: str) -> str:
        command = ["tmux", "-S", self._socket, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path)
    yield one
    one.end()


@pytest.mark.parametrize("term", ["xterm", "screen-256color"])
def test_top(term: str, serve: Callable[..., Server], terminal: Terminal) -> None:
    with serve("--workers", "2", "--latency", "instant") as sim:
        terminal.start(f"top {sim.url}", term)
        terminal.until("● live", "2 workers", "total 0", "q Quit")
        http1.in_turn(sim.port, http1.post(http1.chat(model="gpt-5")))
        terminal.until("total 1 ", "gpt-5", "100%")
    terminal.until("✗ LOST", "retrying")
    terminal.press("q")
    terminal.until("exit=0")


@pytest.mark.parametrize("flags", ["", " --tls self-signed"])
def test_serving_beside_the_dashboard(flags: str, terminal: Terminal) -> None:
    port = free_port()
    terminal.start(f"serve --tui --host 127.0.0.1 --port {port} --workers 2{flags}")
    terminal.until("● live", "q Stop server")
    terminal.press("q")
    screen = terminal.until("exit=0")
    assert "llmsim: stopping" in screen


def test_the_server_outlives_its_dashboard(terminal: Terminal) -> None:
    port = free_port()
    terminal.start(f"serve --tui --host 127.0.0.1 --port {port} --workers 2")
    terminal.until("● live")
    told = subprocess.run(["ps", "-ewwo", "pid=,args="], check=True, capture_output=True, text=True)
    (line,) = [one for one in told.stdout.splitlines() if f":{port} --owner" in one]
    os.kill(int(line.split()[0]), signal.SIGKILL)
    screen = terminal.until("the dashboard ended (SIGKILL)", f"llmsim top http://127.0.0.1:{port}")
    (answer,) = http1.in_turn(port, http1.request("GET", "/health"))
    assert answer.status == 200
    assert f"kill {line.split()[-1]}" in screen
    terminal.press("C-c")
    terminal.until("exit=0")
