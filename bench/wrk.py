"""wrk, the load client for plain answers, with its tally typed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.client import ClientError, MissingError

SCRIPT = Path(__file__).with_name("wrk.lua")


class Tally(Struct, frozen=True):
    """What wrk counted. ``status`` are answers of 400 and above, ``socket`` lost connections."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    status: int
    socket: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def errors(self) -> int:
        return self.status + self.socket


def find_wrk() -> str:
    found = shutil.which("wrk")
    if not found:
        raise MissingError("wrk is needed to load the server: apt-get install wrk")
    return found


def run_wrk(port: int, request: bytes, seconds: float, connections: int, threads: int) -> Tally:
    """Send the raw ``request`` over and over from ``connections`` connections."""
    wrk = find_wrk()
    with tempfile.NamedTemporaryFile() as file:
        file.write(request)
        file.flush()
        command = [
            *(wrk, "-c", str(connections), "-t", str(threads), "-d", f"{max(1, round(seconds))}s"),
            *("-s", str(SCRIPT), f"http://127.0.0.1:{port}", "--", file.name),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines or not lines[-1].startswith("{"):
        raise ClientError(done.stdout + done.stderr)
    return msgspec.json.decode(lines[-1], type=Tally)
