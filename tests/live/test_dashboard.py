"""Dashboards of a real server: events as they come, and an end when the server ends."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.live.http1 import chat, in_turn, post
from tests.live.watch import read, stats, until
from tests.serving import Server


def opened(port: int) -> tuple[HTTPConnection, HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/llmsim/events")
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    return connection, response


def documents(response: HTTPResponse) -> Iterator[dict[str, object]]:
    for line in response:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


def test_events_are_what_the_statistics_tell(sim: Server) -> None:
    connection, response = opened(sim.port)
    with closing(connection):
        first, second = (next(documents(response)) for _ in range(2))
    assert first["uptime_s"] < second["uptime_s"]  # type: ignore[operator]
    assert first.keys() == second.keys() == stats(sim.port).keys() | {"recent", "generation"}
    assert first["recent"] is None
    assert second["recent"] == dict.fromkeys(
        ("latency_ms", "ttft_ms", "itl_ms", "lateness_ms", "arrival_lag_ms", "output_lag_ms")
    )


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_dashboard_that_was_closed_leaves_nothing_behind(serve: Callable[..., Server]) -> None:
    def descriptors(pid: int) -> int:
        return len(os.listdir(f"/proc/{pid}/fd"))

    with serve("--workers", "1", "--latency", "instant") as sim:
        pid = stats(sim.port)["workers"][0]["pid"]
        before = descriptors(pid)
        with ExitStack() as stack:
            for _ in range(20):
                connection, response = opened(sim.port)
                stack.enter_context(closing(connection))
                next(documents(response))
            # The connection that asked for the pid may still have been there.
            assert descriptors(pid) >= before + 19
        until(lambda: descriptors(pid), lambda now: now <= before + 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_open_dashboards_do_not_keep_a_server_from_ending(
    serve: Callable[..., Server], number: signal.Signals
) -> None:
    with serve("--workers", "2", "--latency", "instant") as sim, ExitStack() as stack:
        responses = []
        for _ in range(6):
            connection, response = opened(sim.port)
            stack.enter_context(closing(connection))
            next(documents(response))
            responses.append(response)
        began = time.monotonic()
        sim.process.send_signal(number)
        for response in responses:
            list(documents(response))  # to its end, in good order
        assert sim.process.wait(20) == 0
        assert time.monotonic() - began < 15, "the drain timeout is 30 s"


def seconds(port: int) -> list[float]:
    """Requests a second, of the seconds of the last minute that are known."""
    status, document = read(port, "/llmsim/stats/history?since=60s")
    assert status == 200, document
    return [rate for rate in document["series"]["requests_per_second"] if rate is not None]


def test_the_history_outlives_workers(serve: Callable[..., Server]) -> None:
    def answered() -> int:
        return round(sum(seconds(sim.port)))

    def restarts() -> int:
        try:
            return int(stats(sim.port)["worker_restarts"])
        except OSError:  # asked of a worker that is being killed
            return 0

    with serve("--workers", "2", "--latency", "instant") as sim:
        # What is counted before the launcher first looks is in no second.
        until(lambda: seconds(sim.port), bool)
        for _ in range(10):
            in_turn(sim.port, post(chat(max_tokens=2)))
        until(answered, lambda count: count == 10)
        for worker in stats(sim.port)["workers"]:
            os.kill(worker["pid"], signal.SIGKILL)
        until(restarts, lambda died: died == 2)
        assert answered() == 10
