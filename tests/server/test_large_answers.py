"""A bound that is reached is counted each time, and logged once a minute."""

import logging

import pytest

from llmsim.config import Config, Server
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.engine import answer_size
from llmsim.server.large_answers import QUIET, LargeAnswers
from llmsim.server.launch import new_segment
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.layout import TOO_LARGE


def test_what_is_refused_for_its_size_is_counted_and_seldom_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters = SharedState(new_segment(Config(Server(workers=1, journal_mb=1)))).counters
    now = 100.0
    large = LargeAnswers(counters, lambda: now)
    with pytest.raises(BadRequest) as refused:
        answer_size.check(1001, 1000)
    with caplog.at_level(logging.WARNING, "llmsim"):
        large.note(Failure(FailureKind.INVALID, "no"))
        assert not caplog.records
        for _ in range(3):
            large.note(refused.value.failure)
        now += QUIET
        large.note(refused.value.failure)
    assert counters.cells[TOO_LARGE] == 4
    assert len(caplog.records) == 2
    assert "server.max_answer_bytes" in caplog.text
