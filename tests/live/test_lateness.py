"""When requests arrived, and what their answers' lateness is made of, from a real server."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from llmsim.transport.sock_diag import SockDiag
from tests.live.http1 import chat, post
from tests.live.watch import read, stats, until
from tests.serving import Server

CONFIG = """
latency:
  profile: instant
  models:
    steady: {ttft_mean_ms: 50, ttft_stddev_ms: 0, tbt_mean_ms: 5, tbt_stddev_ms: 0}
"""
LATE = 0.3
"""Seconds by which a request or its body is late on purpose."""


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    try:
        SockDiag().close()
    except OSError:
        pytest.skip("this kernel does not tell when data came")
    with configured(CONFIG, "--workers", "1") as server:
        yield server


def worker_of(sim: Server) -> int:
    pid: int = stats(sim.port)["workers"][0]["pid"]
    return pid


def answered(connection: socket.socket) -> None:
    """Read an answer to its end."""
    seen = b""
    while b"[DONE]" not in seen and b'"usage"' not in seen:
        part = connection.recv(65536)
        assert part, seen
        seen += part


def last(sim: Server) -> Any:
    """The journal's newest entry, once its request has ended."""

    def look() -> Any:
        return read(sim.port, "/llmsim/requests?limit=1")[1]["requests"][0]

    return until(look, lambda entry: entry["status"] is not None)


def test_a_request_arrived_when_the_kernel_had_it(sim: Server) -> None:
    worker = worker_of(sim)
    with closing(socket.create_connection(("127.0.0.1", sim.port), 30)) as connection:
        os.kill(worker, signal.SIGSTOP)
        try:
            connection.sendall(post(chat(model="steady", stream=True)))
            sent = time.time()
            time.sleep(LATE)
        finally:
            os.kill(worker, signal.SIGCONT)
        answered(connection)
    entry = last(sim)
    assert entry["arrived"] < sent + LATE / 2
    assert entry["arrival_lag_ms"] > 1e3 * LATE / 2


@pytest.mark.parametrize("stream", [True, False])
def test_a_body_that_trickles_in_arrives_at_its_end(sim: Server, stream: bool) -> None:
    request = post(chat(model="steady", stream=stream))
    with closing(socket.create_connection(("127.0.0.1", sim.port), 30)) as connection:
        connection.sendall(request[:-10])
        time.sleep(LATE)
        sent = time.time()
        connection.sendall(request[-10:])
        answered(connection)
        seen = time.time()
    entry = last(sim)
    assert sent - 0.001 < entry["arrived"] < seen
    # Reported lateness is llmsim's own: none of the client's dawdling is in it.
    assert entry["arrival_lag_ms"] < 1e3 * (seen - sent)
    assert entry["lateness_max_ms"] < 1e3 * (seen - sent)


def test_frames_are_followed_to_the_kernel(sim: Server) -> None:
    def look() -> Any:
        with closing(socket.create_connection(("127.0.0.1", sim.port), 30)) as connection:
            connection.sendall(post(chat(model="steady", stream=True, max_completion_tokens=50)))
            answered(connection)
        return stats(sim.port)

    told = until(look, lambda stats: stats["output_lag_ms"]["count"] > 0)
    assert told["arrival_lag_ms"]["count"] > 0
    assert told["loop_lag_ms"]["count"] > 0
    entries = read(sim.port, "/llmsim/requests")[1]["requests"]
    assert any(entry["output_lag_max_ms"] is not None for entry in entries)
