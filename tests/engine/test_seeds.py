"""One number decides everything: spread well, the same for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.engine.seeds import fraction, mix

seeds = st.integers(-(2**70), 2**70)
salts = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("seed", "mixed"),
    [  # the first outputs of splitmix64 with that state
        (0, 0xE220A8397B1DCDAF),
        (0x9E3779B97F4A7C15, 0x6E789E6AA1B965F4),
        (1234567, 6457827717110365317),
    ],
)
def test_mix_is_splitmix64(seed: int, mixed: int) -> None:
    assert mix(seed) == mixed


@given(seeds, salts)
def test_mix_gives_64_bits_and_fraction_less_than_one(seed: int, salt: int) -> None:
    assert 0 <= mix(seed, salt) < 2**64
    assert 0.0 <= fraction(seed, salt) < 1.0


def test_neighbours_are_unrelated() -> None:
    mixed = [mix(seed, salt) for seed in range(200) for salt in range(50)]
    assert len(set(mixed)) == len(mixed)
    flipped = [(mix(seed) ^ mix(seed + 1)).bit_count() for seed in range(2000)]
    assert sum(flipped) / len(flipped) == pytest.approx(32, abs=4.5 * 4 / 2000**0.5)


def test_fractions_are_even() -> None:
    drawn = [fraction(seed) for seed in range(20_000)]
    for edge in (0.1, 0.5, 0.9):
        share = sum(one < edge for one in drawn) / len(drawn)
        assert share == pytest.approx(edge, abs=4.5 * (edge * (1 - edge) / 20_000) ** 0.5)
