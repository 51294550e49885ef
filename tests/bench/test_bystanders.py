"""Bystanders hold their connections until they leave, and read nothing."""

import time
from collections.abc import Callable

from bench.bystanders import standing_by
from tests.live.http1 import chat, post
from tests.live.watch import stats, until
from tests.serving import Server


def test_they_are_there_and_leave(serve: Callable[..., Server]) -> None:
    request = post(chat(stream=True, max_tokens=1000), "x-llmsim-target-tokens: 1000")
    with serve("--workers", "1") as sim:
        before = stats(sim.port)["workers"][0]["open_connections"]
        with standing_by(sim.port, 20, 10, request):
            until(lambda: stats(sim.port)["requests"]["active_streaming"], lambda now: now == 10)
            until(
                lambda: stats(sim.port)["workers"][0]["open_connections"],
                lambda now: now - before >= 30,
            )
        begun = time.monotonic()
        until(lambda: stats(sim.port)["requests"]["active_streaming"], lambda now: not now)
        assert time.monotonic() - begun < 30
