"""Log probabilities: one entry a token, ordered, decided by the seed."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Logprob
from llmsim.engine.logprobs import logprobs

tokens = st.lists(
    st.one_of(st.binary(min_size=1, max_size=4), st.sampled_from([b" the", b" a"])), max_size=30
)
seeds = st.integers(0, 2**64 - 1)


@given(tokens, st.integers(0, 20), seeds)
def test_every_token_has_an_entry_with_the_likeliest_in_order(
    said: list[bytes], top: int, seed: int
) -> None:
    entries = logprobs(said, top, seed)
    assert [entry.sampled.token for entry in entries] == said
    for entry in entries:
        likeliest = [one.logprob for one in entry.top]
        assert len(entry.top) == top
        assert len({one.token for one in entry.top}) == top
        assert all(logprob <= 0 for logprob in (entry.sampled.logprob, *likeliest))
        assert likeliest == sorted(likeliest, reverse=True)
        assert entry.top[:1] == ((entry.sampled,) if top else ())
        assert sum(math.exp(logprob) for logprob in likeliest) <= 1 + 1e-9
        assert math.exp(entry.sampled.logprob) >= 0.5


@given(tokens, st.integers(0, 20), seeds)
def test_the_seed_decides(said: list[bytes], top: int, seed: int) -> None:
    assert logprobs(said, top, seed) == logprobs(said, top, seed)


def test_asking_for_more_does_not_change_what_was_said() -> None:
    said = [b"one", b" two", b" three"]
    few, many = logprobs(said, 1, 5), logprobs(said, 20, 5)
    assert [entry.sampled for entry in few] == [entry.sampled for entry in many]
    assert all(one.top == more.top[:1] for one, more in zip(few, many, strict=True))


def test_tokens_differ_in_how_likely_they_are() -> None:
    entries = logprobs([b"same"] * 200, 2, 5)
    said = [entry.sampled.logprob for entry in entries]
    assert len(set(said)) > 190
    assert all(one != other for one, other in pairwise(said))
    assert math.exp(sum(said) / len(said)) == pytest.approx(0.735, abs=0.05)


def test_bytes_may_end_inside_a_character() -> None:
    (entry,) = logprobs([b"\xf0\x9f"], 1, 5)
    assert isinstance(entry.sampled, Logprob)
    assert entry.sampled.token == b"\xf0\x9f"
