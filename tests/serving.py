"""A real `llmsim serve` in its own process, for tests that talk to it over HTTP."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Self

START_LIMIT = 30.0
"""Seconds a server may take from command to the first 200."""

STOP_LIMIT = 45.0
"""Seconds from SIGTERM to exit: more than the default drain timeout of 30."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """`python -m llmsim serve ARGS` on a port of 127.0.0.1, a free one unless given, up once
    constructed. ``under`` is a command that starts it. ``tls`` is how a client of it speaks TLS.

    As a context manager it stops on leaving and insists on exit code 0. What the server prints is
    in the file `log`, and in the error's text when it does not start or stop as it should.
    """

    def __init__(
        self,
        args: tuple[str, ...],
        log: Path,
        port: int | None = None,
        under: tuple[str, ...] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self._tls = tls
        self.log = log
        command = [sys.executable, "-m", "llmsim", "serve", "--host", "127.0.0.1"]
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [*under, *command, "--port", str(self.port), *args],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={k: v for k, v in os.environ.items() if not k.startswith("LLMSIM_")},
            )
        try:
            self._wait_until_healthy()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    @property
    def pid(self) -> int:
        """Process id of the one that supervises the workers."""
        return self.process.pid

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Send SIGTERM if it still runs; the exit code, negative for a signal's number."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(
                f"no exit within {STOP_LIMIT} s of SIGTERM:\n{self.output()}"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        code = self.stop()
        if error is None:
            assert code == 0, f"exit code {code}:\n{self.output()}"

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while not self._healthy():
            code = self.process.poll()
            if code is not None:
                raise AssertionError(f"exit code {code} at start:\n{self.output()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer within {START_LIMIT} s:\n{self.output()}")
            time.sleep(0.02)

    def _healthy(self) -> bool:
        with closing(self._connection()) as connection:
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except (OSError, HTTPException):
                return False

    def _connection(self) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection("127.0.0.1", self.port, timeout=1.0)
        return HTTPSConnection("127.0.0.1", self.port, timeout=1.0, context=self._tls)
