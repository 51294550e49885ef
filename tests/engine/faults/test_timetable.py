"""What is on at which time."""

import pytest

from llmsim.core.errors import Failure, FailureKind
from llmsim.core.faults import Cut, FaultSet
from llmsim.core.injection import ErrorRates, RequestPattern
from llmsim.core.timetable import TimetableEntry
from llmsim.engine.faults.timetable import Timetable
from llmsim.engine.seeds import mix

CHAT = ("gpt-4o", "/v1/chat/completions", "openai_chat")
CLAUDE = ("claude-sonnet-4-5", "/v1/messages", "anthropic")


@pytest.mark.parametrize(
    ("elapsed", "about", "on"),
    [
        (0.0, CLAUDE, False),
        (179.999, CLAUDE, False),
        (180.0, CLAUDE, True),
        (299.999, CLAUDE, True),
        (300.0, CLAUDE, False),
        (200.0, CHAT, False),
    ],
)
def test_an_entry_is_on_for_its_time_and_models(
    elapsed: float, about: tuple[str, str, str], on: bool
) -> None:
    entry = TimetableEntry(
        180.0,
        300.0,
        RequestPattern("claude-*"),
        rates=ErrorRates(overloaded_rate=0.3),
        itl_factor=4.0,
    )
    now = Timetable([entry]).at(elapsed, *about)
    assert (now is not None) is on
    if now is not None:
        assert (now.scale, now.pace, now.delay) == (1.0, 4.0, 1.0)


def test_the_first_entry_that_is_on_counts() -> None:
    table = Timetable([TimetableEntry(0, 10, itl_factor=2), TimetableEntry(5, None, itl_factor=3)])
    paces = [now.pace for at in (0, 7, 10, 1e6) if (now := table.at(at, *CHAT)) is not None]
    assert paces == [2, 2, 3, 3]


@pytest.mark.parametrize(
    ("ramp", "elapsed", "scale"),
    [("up", 10, 0.0), ("up", 15, 0.25), ("up", 30, 1.0), ("down", 10, 1.0), ("down", 25, 0.25)],
)
def test_ramps_are_lines(ramp: str, elapsed: float, scale: float) -> None:
    entry = TimetableEntry(
        10.0,
        30.000001,
        rates=ErrorRates(0.4),
        itl_factor=5,
        ttft_factor=3,
        ramp=ramp,  # type: ignore[arg-type]
    )
    now = Timetable([entry]).at(elapsed, *CHAT)
    assert now is not None
    assert now.scale == pytest.approx(scale, abs=1e-6)
    assert now.pace == pytest.approx(1 + 4 * scale, abs=1e-5)
    assert now.delay == pytest.approx(1 + 2 * scale, abs=1e-5)
    failed = sum(now.outcome(mix(1, place)) is not None for place in range(20_000))
    assert failed == pytest.approx(8000 * scale, abs=6 * 70 * scale)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (TimetableEntry(kind="overloaded"), FailureKind.OVERLOADED),
        (TimetableEntry(status=502), FailureKind.BAD_GATEWAY),
    ],
)
def test_a_kind_happens_to_all(entry: TimetableEntry, kind: FailureKind) -> None:
    now = Timetable([entry]).at(0.0, *CHAT)
    assert now is not None
    outcomes = [now.outcome(mix(1, place)) for place in range(100)]
    assert {one.kind for one in outcomes if isinstance(one, Failure)} == {kind}
    assert None not in outcomes


def test_faults_come_by_their_rate() -> None:
    entry = TimetableEntry(rates=ErrorRates(faults=FaultSet(cut=Cut(rate=1.0))))
    now = Timetable([entry]).at(0.0, *CHAT)
    assert now is not None
    assert now.outcome(5) == Cut(rate=1.0)
