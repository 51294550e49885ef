"""Onlookers read what a live server tells, and leave it when they are told to."""

import time
from collections.abc import Callable

import pytest

from bench.onlookers import looking_on
from tests.serving import Server

LIMIT = 20.0


@pytest.mark.parametrize("dashboards", [0, 1, 2])
def test_they_read_until_they_leave(serve: Callable[..., Server], dashboards: int) -> None:
    with serve("--workers", "1", "--latency", "instant") as sim:
        with looking_on(sim.port, dashboards) as read:
            assert len(read) == (dashboards + 1 if dashboards else 0)
            deadline = time.monotonic() + LIMIT
            while not all(read) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert all(read)
        seen = list(read)
        assert seen == read, "those who left read on"
