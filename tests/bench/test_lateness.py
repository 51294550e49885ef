"""What is made of the client's and the server's figures on lateness."""

import time
from typing import Any

import pytest
from msgspec.structs import replace

from bench.lateness import COLUMNS, STAMP, Lateness, arrivals, row
from bench.report import table
from tests.bench.test_pacing import SEEN

STATS = {
    "lateness_ms": {"p50": 0.5, "p99": 4.0},
    "output_lag_ms": {"p50": 0.25, "p99": 2.0},
    "delivery_lateness_ms": {"p50": 0.625, "p99": 4.5},
    "arrival_lag_ms": {"p50": 0.125, "p99": 8.0},
    "loop_lag_ms": {"p50": 0.1, "p99": 1.0},
}


def test_what_llmsim_says_is_what_it_counted_of_the_same_frames() -> None:
    """A p99 of sums, which is less than the sum of two p99."""
    found = row(SEEN, STATS, {})
    assert (found["seen_p50_ms"], found["seen_p99_ms"]) == (1, 3)
    assert (found["said_p50_ms"], found["said_p99_ms"]) == (0.625, 4.5)
    assert found["apart_ms"] == 1.5
    assert found["clock_p50_ms"] is None


def test_arrivals_are_compared_with_when_the_client_sent() -> None:
    offset = time.time() - time.monotonic()
    arrived = {sent: sent / 1e9 + offset + 0.004 for sent in range(10**15, 10**15 + 100)}
    found = row(SEEN, STATS, arrived)
    for share in ("p1", "p50", "p99"):
        assert found[f"clock_{share}_ms"] == pytest.approx(4, abs=0.5)


def test_a_row_fills_the_table() -> None:
    told = {"streams": 1, "ramp": 4.0, "workers": 1, **row(SEEN, STATS, {1: 1.0, 2: 2.0})}
    assert "–" not in table(COLUMNS, [told])  # noqa: RUF001


def test_no_token_due_is_an_error() -> None:
    with pytest.raises(ValueError, match="no token was due"):
        row(replace(SEEN, late_ms=None), STATS, {})


class Journal:
    """A server's journal, over HTTP."""

    def get(self, path: str) -> Any:
        entries = {"old": 50.0, "a": 100.5, "b": 101.0, "other": 102.0}
        asked = {"a": "1234567890123456 the", "b": "1234567890123457 the", "other": "no number"}
        if path.startswith("/llmsim/requests?"):
            return {"requests": [{"id": name, "arrived": at} for name, at in entries.items()]}
        return {"request": {"messages": [{"content": asked[path.rpartition("/")[2]]}]}}


def test_requests_are_found_by_when_they_were_sent() -> None:
    server: Any = Journal()
    assert arrivals(server, 100.0) == {1234567890123456: 100.5, 1234567890123457: 101.0}


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini", "openai_responses"])
def test_the_request_has_room_for_its_time(dialect: str) -> None:
    benchmark = Lateness(dialect, (1,), 1, 1.0, 4.0)
    assert benchmark.request(100).count(STAMP.encode()) == 1
