"""Which request fails in which way."""

import math
from collections import Counter

import pytest

from llmsim.core.errors import Failure, FailureKind
from llmsim.core.faults import Cut, FaultPoint, FaultSet, Stall
from llmsim.core.injection import ErrorRates, ErrorRule
from llmsim.engine.faults.injection import Odds, certain, failure, odds, of_status
from llmsim.engine.seeds import mix

DRAWS = 100_000
NOTHING = "nothing"
# Of a chi-square with k degrees of freedom hardly one in a million is above k + 6√(2k) + 12.


def drawn(chances: Odds, seed: int, scale: float = 1.0) -> Counter[str]:
    """What happened how often to the requests of a server with that seed."""
    found: Counter[str] = Counter()
    for place in range(DRAWS):
        outcome = chances.outcome(mix(seed, place), scale=scale)
        match outcome:
            case None:
                found[NOTHING] += 1
            case Failure():
                found[outcome.kind.value] += 1
            case _:
                found[type(outcome).__name__] += 1
    return found


def chi_square(found: Counter[str], shares: dict[str, float]) -> float:
    expected = {**shares, NOTHING: 1 - sum(shares.values())}
    assert found.keys() == {name for name, share in expected.items() if share > 1e-12}
    return sum(
        (found[name] - share * DRAWS) ** 2 / (share * DRAWS)
        for name, share in expected.items()
        if share > 1e-12
    )


RATES = ErrorRates(
    0.01,
    0.001,
    0.02,
    30.0,
    0.3,
    0.005,
    0.05,
    faults=FaultSet(cut=Cut(rate=0.1), stall=Stall(rate=0.25)),
)
SHARES = {
    "rate_limit": 0.01,
    "server_error": 0.001,
    "timeout": 0.02,
    "overloaded": 0.3,
    "bad_gateway": 0.005,
    "authentication": 0.05,
    "Cut": 0.1,
    "Stall": 0.25,
}


@pytest.mark.parametrize("seed", [0, 1, 7, 2**63, 2**64 - 1])
@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_each_rate_is_exact(seed: int, scale: float) -> None:
    found = drawn(odds(RATES), seed, scale)
    degrees = len(SHARES)
    bound = degrees + 6 * math.sqrt(2 * degrees) + 12
    assert chi_square(found, {name: share * scale for name, share in SHARES.items()}) < bound


@pytest.mark.parametrize("rate", [0.0001, 0.01, 0.5, 0.999])
def test_one_rate_alone(rate: float) -> None:
    found = drawn(odds(ErrorRates(rate)), 3)
    assert chi_square(found, {"rate_limit": rate}) < 1 + 6 * math.sqrt(2) + 12


def test_rates_that_add_up_to_one_leave_nothing() -> None:
    found = drawn(odds(ErrorRates(0.5, 0.25, 0.125, 30.0, 0.125)), 5)
    assert NOTHING not in found


def test_nothing_is_drawn_without_rates() -> None:
    assert odds(ErrorRates()).outcomes == ()
    assert drawn(odds(ErrorRates()), 1) == {NOTHING: DRAWS}
    assert drawn(odds(RATES), 1, scale=0.0) == {NOTHING: DRAWS}


def test_the_same_seed_is_the_same_fate() -> None:
    chances = odds(RATES)
    fates = [chances.outcome(mix(9, place)) for place in range(1000)]
    assert fates == [chances.outcome(mix(9, place)) for place in range(1000)]
    assert fates != [chances.outcome(mix(10, place)) for place in range(1000)]


@pytest.mark.parametrize("kind", FailureKind)
def test_only_throttling_tells_to_wait(kind: FailureKind) -> None:
    made = failure(kind, retry=7.0)
    assert made.injected
    assert (made.retry_after == 7.0) is (
        kind
        in (
            FailureKind.RATE_LIMIT,
            FailureKind.TOKEN_LIMIT,
            FailureKind.QUOTA,
            FailureKind.UNAVAILABLE,
            FailureKind.OVERLOADED,
        )
    )


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_is_a_failure_of_that_status(status: int) -> None:
    made = of_status(status)
    assert made.status == status
    assert made.injected
    if status not in (401, 402, 403, 404, 405, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529):
        assert made.kind is (FailureKind.INVALID if status < 500 else FailureKind.SERVER_ERROR)


@pytest.mark.parametrize(
    ("rule", "kind", "status", "after"),
    [
        (
            ErrorRule(kind="timeout", rates=ErrorRates(timeout_after=9.0)),
            FailureKind.TIMEOUT,
            None,
            9.0,
        ),
        (ErrorRule(status=504, rates=ErrorRates(timeout_after=9.0)), FailureKind.TIMEOUT, 504, 9.0),
        (ErrorRule(kind="overloaded"), FailureKind.OVERLOADED, None, 0.0),
        (ErrorRule(status=429), FailureKind.RATE_LIMIT, 429, 0.0),
    ],
)
def test_what_a_rule_makes_happen(
    rule: ErrorRule, kind: FailureKind, status: int | None, after: float
) -> None:
    made = certain(rule)
    assert isinstance(made, Failure)
    assert (made.kind, made.status, made.after) == (kind, status, after)


def test_a_rule_without_chance_or_fault_does_nothing() -> None:
    assert certain(ErrorRule()) is None
    cut = Cut(after=FaultPoint(3))
    assert certain(ErrorRule(fault=FaultSet(cut=cut))) == cut
