"""How many requests a second a profile has, and when."""

import pytest

from llmsim.loadtest.profiles import PROFILES, requests_per_second


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("smoke", [100] * 10),
        ("load", [10, 55, 100, 100, 100, 100, 100, 100, 100, 100]),
        ("stress", [20, 20, 40, 40, 60, 60, 80, 80, 100, 100]),
        ("spike", [10, 10, 10, 10, 100, 100, 10, 10, 10, 10]),
        ("soak", [100] * 10),
    ],
)
def test_the_shapes(name: str, expected: list[int]) -> None:
    profile = PROFILES[name]
    assert [requests_per_second(profile, at, 100, 10) for at in range(10)] == expected


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_sends_something_until_it_is_over(name: str) -> None:
    profile = PROFILES[name]
    assert profile.corners[0][0] == 0.0
    assert profile.corners[-1][0] == 1.0
    assert requests_per_second(profile, 9.999, 1, 10) == 1
    assert requests_per_second(profile, 10, 1, 10) is None
