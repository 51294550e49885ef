"""The dashboard beside a server that runs in this process: what ``llmsim serve --tui`` adds.

The dashboard is a process of its own and has the terminal; what the server prints goes to a file.
If its user quits, the server stops gracefully. If it crashes or is killed, the terminal is restored
and the server keeps running.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import termios
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Final, NoReturn, Self

from llmsim.config import Config
from llmsim.server.attached.ready_file import local_url

RESET: Final = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[?2026l\x1b[<u"  # focus, paste, resize, sync, keys
    "\x1b[?1049l\x1b[?25h\x1b[0m\r"  # the screen there was, cursor, colours
)
"""Undoes what the dashboard sets in a terminal, where it could not do so itself (xterm's control
sequences, and kitty's keyboard protocol)."""

DASHBOARD_TIMEOUT: Final = 2.0
"""Seconds the dashboard gets to leave the terminal as it was."""

LOG_TAIL: Final = 20
"""Lines of the log that are shown when the server failed."""


class Companion:
    """A context: inside it this process has no terminal, and the dashboard runs."""

    def __init__(self, config: Config) -> None:
        server = config.server
        self.url = local_url(server.host, server.port, server.tls is not None)
        # It is this process's own port, whatever name its certificate is for.
        self._trust = [] if server.tls is None else ["--insecure"]
        self._token = config.control.token
        self._closing = False
        self._restored = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._modes = termios.tcgetattr(0)
        number, self.log = tempfile.mkstemp(prefix="llmsim-", suffix=".log")
        self._kept = [os.dup(1), os.dup(2)]
        self._say(f"llmsim: {self.url}, log in {self.log}")
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.dup2(number, 1)
        os.dup2(number, 2)
        os.close(number)
        # Until Granian listens for signals, one to stop ends this process in good order.
        signal.signal(signal.SIGTERM, _stop)
        self._dashboard = subprocess.Popen(
            [
                *(sys.executable, "-m", "llmsim", "top", self.url),
                *(*self._trust, "--owner", str(os.getpid())),
            ],
            stdout=self._kept[0],
            stderr=self._kept[1],
            env=os.environ | {"LLMSIM_TOKEN": self._token or ""},
        )
        threading.Thread(target=self._attend, name="companion", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closing = True
        self._end_dashboard()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, kept in enumerate(self._kept, 1):
            os.dup2(kept, number)
        if error is not None and not (isinstance(error, SystemExit) and not error.code):
            self._say(f"llmsim: the server failed; its log, {self.log}, ends in\n{self._tail()}")

    def _attend(self) -> None:
        """Wait for the dashboard to end, and do what follows from how it did."""
        code = self._dashboard.wait()
        with self._lock:
            if self._closing:
                return
            if code == 0:
                self._say("llmsim: stopping; open streams may finish")
                os.kill(os.getpid(), signal.SIGTERM)
                return
            self._restore()
            self._say(
                f"llmsim: the dashboard ended ({_exit_reason(code)}); the server keeps running\n"
                f"  server:         {self.url}\n"
                f"  log:            {self.log}\n"
                f"  the dashboard:  llmsim top {self.url}\n"
                f"  stop:           Ctrl-C, or kill {os.getpid()}"
            )

    def _end_dashboard(self) -> None:
        if self._dashboard.poll() is None:
            self._dashboard.terminate()
            try:
                self._dashboard.wait(DASHBOARD_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._dashboard.kill()
                self._dashboard.wait()
        if self._dashboard.returncode != 0 and not self._restored:
            self._restore()

    def _restore(self) -> None:
        """Give the terminal back as it was found, once. One that is gone needs nothing."""
        self._restored = True
        with suppress(OSError, termios.error):
            os.write(self._kept[0], RESET.encode())
            termios.tcsetattr(self._kept[0], termios.TCSADRAIN, self._modes)

    def _say(self, text: str) -> None:
        with suppress(OSError):
            os.write(self._kept[1], f"{text}\n".encode())

    def _tail(self) -> str:
        with open(self.log, encoding="utf-8", errors="replace") as lines:
            return "".join(lines.readlines()[-LOG_TAIL:]).rstrip()


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _exit_reason(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
