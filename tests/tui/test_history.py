"""CounterRates out of readings."""

from __future__ import annotations

import pytest

from llmsim.tui.history import KEPT, CounterRates, Reading, rates, restarted
from tests.tui.readings import history, read, server_stats


def worker(pid: int, cpu: float | None, slot: int = 0) -> dict[str, object]:
    return {"slot": slot, "pid": pid, "cpu_s": cpu}


def test_rates_are_differences_by_the_servers_own_clock() -> None:
    before = server_stats(
        10.0, 100, tokens={"prompt": 5, "completion": 50}, workers=[worker(7, 1.0)]
    )
    after = server_stats(
        10.5,
        120,
        tokens={"prompt": 15, "completion": 150},
        errors={"total": 2},
        rate_limited=1,
        workers=[worker(7, 1.2)],
    )
    # The second answer took a while to arrive, which is no reason to tell less.
    made = rates(Reading(10.0, before), Reading(10.9, after))
    assert made == CounterRates(
        {"requests": 40, "prompt": 20, "completion": 200, "errors": 4, "limited": 2},
        {0: pytest.approx(0.4)},
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (read(10.0, total=5), read(10.2, total=9), False),
        (read(10.0, total=5), Reading(10.2, server_stats(0.1, 0)), True),
        (read(10.0, total=5), read(10.2, total=4), True),
        (read(10.0, tokens={"prompt": 3}), read(10.2, tokens={"prompt": 2}), True),
        (read(10.0, rate_limited=3), read(10.2, rate_limited=None), True),
        # Started anew while nobody looked, older and busier by now than the other was then.
        (read(10.0, total=5), Reading(100.0, server_stats(50.0, 900)), True),
        # The same one after a long pause.
        (read(10.0, total=5), read(100.0, total=900), False),
    ],
)
def test_another_server_is_noticed(before: Reading, after: Reading, expected: bool) -> None:
    assert restarted(before, after) is expected
    if expected:
        assert rates(before, after) is None


def test_two_readings_at_once_make_no_rate() -> None:
    assert rates(read(10.0, total=1), read(10.001, total=2)) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (worker(7, 9.0), worker(8, 0.5)),
        (worker(7, None), worker(7, 1.0)),
        (worker(7, 1.0), worker(7, None)),
    ],
)
def test_no_processor_share_of_a_worker_that_was_replaced_or_does_not_tell(
    before: dict[str, object], after: dict[str, object]
) -> None:
    made = rates(read(1.0, workers=[before]), read(2.0, workers=[after]))
    assert made is not None
    assert made.cpu == {}


def test_a_history_tells_nothing_before_its_second_reading() -> None:
    seen = history(read(10.0, total=3))
    assert (seen.rate("requests"), seen.cpu) == (None, {})
    assert seen.column("requests", 3) == [None, None, None]


def test_a_rate_looks_back_a_second() -> None:
    seen = history(*(read(10 + n / 5, total=0 if n < 10 else 10 * (n - 10)) for n in range(16)))
    assert seen.rate("requests") == pytest.approx(50)
    # Within a fifth of a second something is seen, after a second all of it.
    assert history(read(10.0), read(10.2, total=10)).rate("requests") == pytest.approx(50)
    assert len(seen._window) <= 7


def test_a_restart_shows_no_negative_rate_and_keeps_what_was() -> None:
    seen = history(read(10.2, total=0), read(11.2, total=500), Reading(12.2, server_stats(0.2, 1)))
    assert seen.rate("requests") is None
    assert seen.column("requests", 2) == [pytest.approx(500), None]
    seen.add(Reading(13.2, server_stats(1.2, 11)))
    assert seen.rate("requests") == pytest.approx(10)


def test_seconds_nobody_looked_are_blank() -> None:
    seen = history(read(10.0), read(11.0, total=7), read(14.0, total=7), read(15.0, total=9))
    assert seen.column("requests", 6) == [None, 7.0, None, None, 0.0, 2.0]


def test_the_peak() -> None:
    seen = history(read(10.0), read(11.0, total=70), read(12.0, total=75))
    assert seen.peak("requests") == 70
    assert history().peak("requests") == 0


def test_the_history_is_bounded() -> None:
    seen = history(*(read(float(n), total=n) for n in range(KEPT + 50)))
    assert len(seen._seconds) == KEPT
