"""Arrival times: distributed as the profile says, decided by the seed.

Bounds are 4.5 standard errors. What a test draws comes from a table of DRAWS numbers, so an
estimate from n draws errs by that of n and that of the table.
"""

import math
import subprocess
import sys
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Seconds
from llmsim.core.catalog.distribution import MOMENTS, Distribution, Kind
from llmsim.core.catalog.profiles import PRESETS, LatencyProfile
from llmsim.engine.timing import DRAWS, Draws, TokenArrivals, draws_of, span

ERRORS = 4.5
SEEDS = 12_000


def _of_kind(profile: LatencyProfile, kind: Kind) -> LatencyProfile:
    ttft, itl = profile.ttft.varied(kind=kind), profile.itl.varied(kind=kind)
    return replace(profile, ttft=ttft, itl=itl)


SHARES = (0.01, 0.1, 0.5, 0.9, 0.99)
STANDARD = NormalDist()

SPREAD = {name: one for name, one in PRESETS.items() if one.ttft.stddev and one.itl.stddev}
WIDE = {
    "deviation as the mean": LatencyProfile.of(0.5, 0.5, 0.05, 0.05, "normal"),
    "deviation thrice the mean": LatencyProfile.of(0.2, 0.6, 0.01, 0.03, "normal"),
    "half a normal": LatencyProfile.of(0.0, 0.3, 0.0, 0.02, "normal"),
}
NORMAL = {
    **{name: _of_kind(one, "normal") for name, one in SPREAD.items()},
    **WIDE,
}
LOGNORMAL = {
    **SPREAD,
    "lognormal deviation as the mean": LatencyProfile.of(0.5, 0.5, 0.05, 0.05),
    "lognormal deviation twice the mean": LatencyProfile.of(0.4, 0.8, 0.03, 0.06),
}
STEPPED = LatencyProfile(
    Distribution(0.4, 0.3), Distribution(0.02, 0.01), 0.05, 1e-4, 0.01, steps=True
)
ALL = {**PRESETS, **WIDE, **LOGNORMAL, "stepped": STEPPED}


class Truncated:
    """A normal distribution of which only what is not negative is kept.

    Its moments: Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions, vol. 1, 10.1.
    """

    kurtosis = 4.0  # more than that of half a normal, which has the most

    def __init__(self, mean: float, std: float) -> None:
        low = -mean / std
        above = 1 - STANDARD.cdf(low)
        ratio = STANDARD.pdf(low) / above
        self.mean = mean + std * ratio
        self.std = std * math.sqrt(1 + low * ratio - ratio * ratio)
        self._normal, self._below, self._above = NormalDist(mean, std), 1 - above, above

    def quantile(self, share: float) -> float:
        return self._normal.inv_cdf(self._below + share * self._above)


class Lognormal:
    """The lognormal distribution whose own mean and deviation are these."""

    def __init__(self, mean: float, std: float) -> None:
        variance = math.log(1 + (std / mean) ** 2)
        self.mean, self.std = mean, std
        self._log = NormalDist(math.log(mean) - variance / 2, math.sqrt(variance))
        w = math.exp(variance)
        self.kurtosis = w**4 + 2 * w**3 + 3 * w**2 - 3

    def quantile(self, share: float) -> float:
        return math.exp(self._log.inv_cdf(share))


def fits(drawn: Seconds, theory: Truncated | Lognormal) -> None:
    """Moments and quantiles of what was drawn are those of the theory, within ERRORS."""
    error = ERRORS * math.sqrt(1 / len(drawn) + 1 / DRAWS)
    assert drawn.min() >= 0
    assert drawn.mean() == pytest.approx(theory.mean, abs=error * theory.std)
    spread = math.sqrt(theory.kurtosis - 1)
    assert drawn.var() == pytest.approx(theory.std**2, rel=error * spread)
    for share in SHARES:
        below = float(np.mean(drawn <= theory.quantile(share)))
        assert below == pytest.approx(share, abs=error * math.sqrt(share * (1 - share)))


def arrivals(
    draws: Draws, tokens: int, seed: int, scale: float = 1.0, work: float = 0.0
) -> Seconds:
    """When each token of a choice exists."""
    return TokenArrivals(draws, tokens, seed, scale, work).at(np.arange(tokens))


def first_tokens(profile: LatencyProfile) -> Seconds:
    draws = draws_of(profile)
    return np.array([arrivals(draws, 1, seed)[0] for seed in range(SEEDS)])


def gaps(profile: LatencyProfile) -> Seconds:
    """The gaps of as many tokens as the table has, from wherever a seed begins."""
    return np.diff(arrivals(draws_of(profile), DRAWS + 1, 17))


@pytest.mark.parametrize("profile", NORMAL.values(), ids=NORMAL.keys())
def test_normal_first_tokens_and_gaps(profile: LatencyProfile) -> None:
    fits(first_tokens(profile), Truncated(profile.ttft.mean, profile.ttft.stddev))
    fits(gaps(profile), Truncated(profile.itl.mean, profile.itl.stddev))


@pytest.mark.parametrize("profile", LOGNORMAL.values(), ids=LOGNORMAL.keys())
def test_lognormal_first_tokens_and_gaps(profile: LatencyProfile) -> None:
    fits(first_tokens(profile), Lognormal(profile.ttft.mean, profile.ttft.stddev))
    fits(gaps(profile), Lognormal(profile.itl.mean, profile.itl.stddev))


@pytest.mark.parametrize("distribution", MOMENTS)
def test_without_deviation_every_time_is_the_mean(distribution: Kind) -> None:
    draws = draws_of(LatencyProfile.of(0.25, 0.0, 0.125, 0.0, distribution))
    for seed in range(50):
        assert arrivals(draws, 4, seed) == pytest.approx([0.25, 0.375, 0.5, 0.625])


def test_instant_is_at_once() -> None:
    draws = draws_of(PRESETS["instant"])
    assert arrivals(draws, 100, 3).tolist() == [0.0] * 100
    assert span(draws, 100, 3) == (0.0, 0.0)


def test_the_first_token_tells_nothing_about_the_gaps() -> None:
    draws = draws_of(PRESETS["gpt-4"])
    times = np.array([arrivals(draws, 2, seed) for seed in range(SEEDS)])
    related = np.corrcoef(times[:, 0], times[:, 1] - times[:, 0])[0, 1]
    assert abs(related) < ERRORS / math.sqrt(SEEDS)


profiles = st.sampled_from(list(ALL.values()))
seeds = st.integers(0, 2**64)
scales = st.sampled_from([0.16, 0.4, 1.0, 2.5])


@given(profiles, seeds, st.integers(1, 500), scales)
def test_arrivals_never_decrease(
    profile: LatencyProfile, seed: int, tokens: int, scale: float
) -> None:
    times = arrivals(draws_of(profile), tokens, seed, scale)
    assert times.shape == (tokens,)
    assert times[0] >= 0
    assert bool(np.all(np.diff(times) >= 0))


@given(profiles, seeds, st.integers(1, 500), scales)
def test_span_is_the_first_and_the_last_arrival(
    profile: LatencyProfile, seed: int, tokens: int, scale: float
) -> None:
    times = arrivals(draws_of(profile), tokens, seed, scale, 0.3)
    if profile == PRESETS["instant"]:
        times = times * 0
    assert span(draws_of(profile), tokens, seed, scale, 0.3) == pytest.approx(
        (times[0], times[-1]), abs=1e-9
    )


@pytest.mark.parametrize("seed", range(5))
def test_more_tokens_than_draws_begin_again(seed: int) -> None:
    draws = draws_of(PRESETS["gpt-5"])
    times = arrivals(draws, 2 * DRAWS + 1000, seed)
    between = np.diff(times)
    assert bool(np.all(between >= 0))
    assert between[DRAWS : 2 * DRAWS] == pytest.approx(between[:DRAWS], abs=1e-7)
    assert span(draws, len(times), seed) == pytest.approx((times[0], times[-1]))


@given(seeds, st.integers(1, 100))
def test_scale_stretches_the_first_token_only(seed: int, tokens: int) -> None:
    draws = draws_of(PRESETS["o-series"])
    plain, scaled = arrivals(draws, tokens, seed), arrivals(draws, tokens, seed, 2.5)
    assert scaled[0] == pytest.approx(2.5 * plain[0])
    assert np.diff(scaled) == pytest.approx(np.diff(plain), abs=1e-9)


@given(seeds, st.integers(1, 100), st.integers(0, 100))
def test_a_longer_answer_begins_like_a_shorter_one(seed: int, tokens: int, more: int) -> None:
    draws = draws_of(PRESETS["gpt-4o"])
    longer = arrivals(draws, tokens + more, seed)[:tokens]
    assert longer == pytest.approx(arrivals(draws, tokens, seed), abs=1e-9)


def test_seeds_decide() -> None:
    draws = draws_of(PRESETS["gpt-4"])
    assert arrivals(draws, 50, 7).tolist() == arrivals(draws, 50, 7).tolist()
    starts = {arrivals(draws, 2, seed).tobytes() for seed in range(1000)}
    assert len(starts) > 990


def test_times_are_the_same_in_another_process() -> None:
    code = (
        "from tests.engine.test_timing import arrivals, draws_of;"
        "from llmsim.core.catalog.profiles import PRESETS;"
        "print(arrivals(draws_of(PRESETS['gpt-4']), 40, 99).tobytes().hex())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == arrivals(draws_of(PRESETS["gpt-4"]), 40, 99).tobytes().hex()


def test_work_precedes_the_first_token() -> None:
    draws = draws_of(STEPPED)
    assert draws.work(0, 0) == 0.05
    assert draws.work(1000, 0) == pytest.approx(0.15)
    assert draws.work(1000, 200) == pytest.approx(2.15)
    for seed in range(20):
        plain, later = arrivals(draws, 9, seed), arrivals(draws, 9, seed, 1.0, 2.15)
        assert later == pytest.approx(plain + 2.15)


def test_a_first_step_takes_as_long_as_any_other() -> None:
    with_step, without = draws_of(STEPPED), draws_of(replace(STEPPED, steps=False))
    for seed in range(20):
        longer = arrivals(without, 10, seed)
        assert arrivals(with_step, 9, seed) == pytest.approx(longer[1:])
    times = arrivals(with_step, 2 * DRAWS, 3)
    assert span(with_step, len(times), 3) == pytest.approx((times[0], times[-1]))


def test_reasoning_takes_as_long_as_text_unless_it_is_set() -> None:
    profile = replace(STEPPED, reasoning=None)
    assert draws_of(profile).reasoning == pytest.approx(0.02, rel=0.01)
    assert draws_of(replace(profile, reasoning=0.0)).reasoning == 0.0


def test_nothing_is_instant_that_takes_time() -> None:
    instant = PRESETS["instant"]
    assert draws_of(instant).instant
    assert not draws_of(replace(instant, accept=0.1)).instant
    assert not draws_of(replace(instant, prefill=0.1)).instant
    assert not draws_of(replace(instant, reasoning=0.1)).instant
