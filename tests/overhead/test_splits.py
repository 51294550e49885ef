"""Where the time of a request went, by made-up clocks."""

from math import isnan
from typing import Any

import pytest

from llmsim.overhead.joining import Joined
from llmsim.overhead.journal import Times
from llmsim.overhead.splits import column, split, splits
from tests.overhead.made import one, record, seen

LATE = {"head": 1.105, "first": 1.1053, "before_last": 1.9053, "last": 2.0053, "end": 2.006}


def split_of(fields: dict[str, Any], **more: Any) -> Any:
    joined = one(fields, **more)
    return split(joined, joined.records[0], head_at_once=False)


def test_nothing_is_added_where_nothing_is_between() -> None:
    found = split_of({})
    for name in ("head", "ttft", "total", "per_token", "per_output_token", "held", "way_in"):
        assert getattr(found, name) == pytest.approx(0.0, abs=1e-9), name
    assert found.tokens_per_read == 1.0


def test_both_ways_are_added() -> None:
    found = split_of(LATE, arrived=0.004, actual=Times(first_ms=1096.0, total_ms=1996.0))
    assert found.way_in == pytest.approx(4.0)
    assert found.ttft == pytest.approx(4.0 + 5.3)
    assert found.way_out == pytest.approx(6.0)
    assert found.total == pytest.approx(4.0 + 6.0)
    assert found.per_token == pytest.approx(5.3)
    assert found.head == pytest.approx(4.0 + 5.0)


def test_what_llmsim_was_late_is_not_the_gateways() -> None:
    late = {"head": 1.103, "first": 1.103, "before_last": 1.9, "last": 2.0, "end": 2.002}
    actual = Times(first_ms=1103.0, total_ms=2002.0)
    found = split_of(late, actual=actual, lateness_max_ms=3.0, arrival_lag_ms=0.4)
    assert found.ttft == pytest.approx(0.0, abs=1e-9)
    assert found.total == pytest.approx(0.0, abs=1e-9)
    assert found.simulator_late == pytest.approx(3.0)
    assert (found.simulator_hand_over, found.simulator_arrival) == pytest.approx((3.0, 0.4))
    assert isnan(found.simulator_output)


def test_what_the_client_was_late_is_not_the_gateways() -> None:
    found = split_of({"late": 0.007, "waited": 0.002})
    assert (found.client_late, found.client_sent_late) == pytest.approx((7.0, 2.0))
    assert found.total == pytest.approx(0.0, abs=1e-9)


def test_clocks_that_differ_leave_what_is_added_alone() -> None:
    ahead = {name: value + 100 for name, value in LATE.items()} | {"sent": 100.0}
    found, same = split_of(ahead), split_of(LATE)
    assert found.way_in == pytest.approx(-100e3)
    assert (found.ttft, found.total) == pytest.approx((same.ttft, same.total), abs=1e-6)


def test_text_that_is_held_is_seen_apart() -> None:
    """Two tokens a read: the first one waits for the second, and neither is slow."""
    held = {"first": 1.2, "before_last": 1.8, "text_reads": 5, "first_events": 2, "last_events": 2}
    found = split_of(held)
    assert found.tokens_per_read == 2.0
    assert found.held == pytest.approx(100.0)
    assert found.ttft == pytest.approx(100.0)
    assert found.per_token == pytest.approx(0.0, abs=1e-6)
    assert found.per_output_token == pytest.approx(0.0, abs=1e-6)


def test_a_token_behind_another_waits_for_its_turn() -> None:
    """Where tokens queue, each costs what lies between it and the one before."""
    found = split_of({"before_last": 2.5, "last": 2.503, "end": 2.503})
    assert found.per_token == pytest.approx(3.0)


def test_slower_streams_have_more_time_between_tokens() -> None:
    found = split_of({"last": 2.09, "before_last": 1.99, "end": 2.09})
    assert found.per_output_token == pytest.approx(10.0)


def test_the_head_of_some_apis_does_not_wait_for_text() -> None:
    joined = one({"head": 0.005})
    assert split(joined, joined.records[0], head_at_once=True).head == pytest.approx(5.0)


def test_plain_answers_have_only_a_total() -> None:
    found = split_of({"stream": False, "end": 2.01}, stream=False)
    assert found.total == pytest.approx(10.0)
    assert isnan(found.ttft)
    assert isnan(found.tokens_per_read)
    assert column([found], "ttft").size == 0


@pytest.mark.parametrize(
    "joined",
    [
        Joined(seen()),
        Joined(seen(error="status 500"), (record(),)),
        Joined(seen(), (record(status=503), record())),
        Joined(seen(), (record(status=503),)),
        Joined(seen(), (record(actual=Times()),)),
    ],
    ids=["unmatched", "failed", "retried", "503", "not ended"],
)
def test_only_what_went_well_is_timed(joined: Joined) -> None:
    assert splits([joined], head_at_once=False) == []
