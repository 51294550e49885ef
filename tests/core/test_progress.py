"""How far a piece of work has come follows from its plan, what was done to it, and the time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core.progress import ACTIVE, CANCELLING, Outcome, Progress, Stretch

ONCE = Stretch(100.0, 101.0, 105.0, "completed")
CALLING = Stretch(100.0, 101.0, 105.0, "requires_action")
AGAIN = Stretch(110.0, 111.0, 115.0, "completed")


@pytest.mark.parametrize(
    ("progress", "now", "status", "since"),
    [
        (Progress((ONCE,), 60), 100.0, "queued", 100.0),
        (Progress((ONCE,), 60), 100.999, "queued", 100.0),
        (Progress((ONCE,), 60), 101.0, "in_progress", 101.0),
        (Progress((ONCE,), 60), 104.999, "in_progress", 101.0),
        (Progress((ONCE,), 60), 105.0, "completed", 105.0),
        (Progress((ONCE,), 60), 1e9, "completed", 105.0),
        (Progress((CALLING,), 60), 105.0, "requires_action", 105.0),
        (Progress((CALLING,), 60), 164.999, "requires_action", 105.0),
        (Progress((CALLING,), 60), 165.0, "expired", 165.0),
        (Progress((CALLING, AGAIN), 60), 110.5, "queued", 110.0),
        (Progress((CALLING, AGAIN), 60), 1e9, "completed", 115.0),
        (Progress((ONCE,), 60, 102.0), 101.5, "in_progress", 101.0),
        (Progress((ONCE,), 60, 102.0), 102.0, "cancelling", 102.0),
        (Progress((ONCE,), 60, 102.0), 102.0 + CANCELLING, "cancelled", 102.0 + CANCELLING),
        (Progress((CALLING,), 60, 110.0), 1e9, "cancelled", 110.0 + CANCELLING),
    ],
)
def test_status(progress: Progress, now: float, status: str, since: float) -> None:
    moment = progress.at(now)
    assert (moment.status, moment.since) == (status, since)
    assert moment.active == (status in ACTIVE)


@pytest.mark.parametrize(
    ("now", "possible"), [(100.0, True), (104.0, True), (105.0, False), (200.0, False)]
)
def test_only_what_is_not_over_can_be_cancelled(now: float, possible: bool) -> None:
    cancelled = Progress((ONCE,), 60).cancel(now)
    assert (cancelled is not None) == possible
    if cancelled is not None:
        assert cancelled.at(now).status == "cancelling"
        assert cancelled.cancel(now) is None
        assert cancelled.stopped(now) == now


@pytest.mark.parametrize(
    ("progress", "now", "stopped"),
    [
        (Progress((ONCE,), 60), 1e9, None),
        (Progress((CALLING,), 60), 164.0, None),
        (Progress((CALLING,), 60), 1e9, 165.0),
        (Progress((Stretch(100.0, 101.0, 103.0, "failed"),), 60), 102.0, None),
        (Progress((Stretch(100.0, 101.0, 103.0, "failed"),), 60), 1e9, 103.0),
        (Progress((ONCE,), 60, 102.0), 101.0, None),
        (Progress((ONCE,), 60, 102.0), 103.0, 102.0),
    ],
)
def test_when_work_was_stopped(progress: Progress, now: float, stopped: float | None) -> None:
    assert progress.stopped(now) == stopped


quarters = st.integers(0, 200).map(lambda value: value / 4)


@given(
    quarters,
    quarters,
    st.sampled_from(("completed", "incomplete", "failed", "requires_action")),
    quarters,
    st.none() | quarters,
)
def test_it_is_over_at_some_time_and_stays_so(
    starts: float, works: float, outcome: Outcome, patience: float, cancelled: float | None
) -> None:
    """Following the changes leads to the end; between two of them nothing happens."""
    progress = Progress((Stretch(0.0, starts, starts + works, outcome),), patience)
    now = 0.0
    if cancelled is not None and (stopping := progress.cancel(cancelled)) is not None:
        progress, now = stopping, cancelled
    for _ in range(5):
        change = progress.changes(now)
        if change is None:
            break
        assert change > now
        assert progress.at((now + change) / 2) == progress.at(now)
        now = change
    assert not progress.at(now).active
    assert progress.at(now) == progress.at(now + 1e6)
