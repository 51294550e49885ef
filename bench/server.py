"""A server under test: started, waited for, accounted for, and always stopped, by its pid."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import accounting
from bench.accounting import Memory
from bench.machine import ROOT
from bench.shape import Shape


class StartError(Exception):
    """The server did not come up; the message ends in what it had printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``ready`` is the time from starting it to its first 200, in seconds."""

    pid: int
    port: int
    ready: float

    def cpu(self) -> float:
        """Seconds of CPU its processes have used."""
        return accounting.cpu_seconds(accounting.tree(self.pid))

    def memory(self) -> Memory:
        return accounting.memory(accounting.tree(self.pid))

    def workers(self) -> tuple[int, ...]:
        """The pids of the workers; Python's resource tracker is none."""
        return tuple(
            pid
            for pid in accounting.tree(self.pid)
            if pid != self.pid and "resource_tracker" not in accounting.command_line(pid)
        )

    def get(self, path: str) -> Any:
        """The JSON at ``path``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise StartError(f"GET {path}: {answer.status} {body[:500]!r}")
        return json.loads(body)


def llmsim(port: int, workers: int, config: Path) -> list[str]:
    """The command that starts llmsim."""
    return [
        *(sys.executable, "-m", "llmsim", "serve", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", str(workers), "--config", str(config)),
    ]


def bare(port: int, workers: int, mode: str, folder: Path, shape: Shape) -> list[str]:
    """The command that starts the bare application."""
    file = folder / f"shape-{port}.json"
    shape.save(file)
    return [
        *(sys.executable, "-m", "bench.bare", "--port", str(port), "--workers", str(workers)),
        *("--mode", mode, "--shape", str(file)),
    ]


def write_config(folder: Path, name: str, settings: dict[str, Any]) -> Path:
    """A configuration file for llmsim (JSON, which is YAML)."""
    file = folder / f"{name}.yaml"
    file.write_text(json.dumps(settings, indent=2))
    return file


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, folder: Path, patience: float = 30.0
) -> Iterator[Server]:
    """The server that ``command`` starts on ``port``, once it answers GET /ready with 200;
    its start took until GET /health did."""
    log = folder / f"server-{port}.log"
    environment = {key: text for key, text in os.environ.items() if not key.startswith("LLMSIM_")}
    environment["PYTHONPATH"] = str(ROOT)
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=environment
        )
    try:
        while not _answers(port, "/health"):
            _still_starting(process, command, log, started, patience)
        start = time.perf_counter() - started
        while not _answers(port, "/ready"):  # what it builds meanwhile is no request's cost
            _still_starting(process, command, log, started, patience)
        yield Server(process.pid, port, start)
    finally:
        _stop(process)


def _still_starting(
    process: subprocess.Popen[bytes],
    command: Sequence[str],
    log: Path,
    started: float,
    patience: float,
) -> None:
    """Wait a moment for a server that starts. Raises StartError for one that does not."""
    if process.poll() is not None or time.perf_counter() - started > patience:
        raise StartError(f"{' '.join(command)} did not start:\n{log.read_text()[-4000:]}")
    time.sleep(0.002)


def _answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            head = f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
            connection.sendall(head.encode())
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server; what has not gone ten seconds later is killed, process by process."""
    if process.poll() is not None:
        return
    pids = accounting.tree(process.pid)
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
