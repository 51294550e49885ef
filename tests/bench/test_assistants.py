"""The benchmark of runs: its turns are counted, and a server that fails is no measurement."""

import pytest

from bench.assistants import Assistants, User


def test_turns_are_counted() -> None:
    (row,) = Assistants(workers=(1,), rounds=1, seconds=0.3, connections=2).run()
    assert row["workers"] == 1
    turns, requests = row["turns"], row["requests"]
    turn_us, request_us = row["turn_us"], row["request_us"]
    assert isinstance(turns, float)
    assert isinstance(requests, float)
    assert isinstance(turn_us, float)
    assert isinstance(request_us, float)
    assert turns > 0
    assert requests >= 4 * turns
    assert turn_us * turns == pytest.approx(request_us * requests)


def test_a_server_that_is_not_there() -> None:
    user = User(1)
    user.work(0.0)
    assert "refused" in user.failure
