"""How long a prompt is at least: never more than it is, and enough to refuse what is far too
long at once."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Complete, Count, Embed, Message, Moderate, Request
from llmsim.engine.tokens import prompt, prompt_bounds, ranks
from llmsim.engine.tokens.tokenizer import LONGEST, tokenizer

NAMES = ranks.NAMES
FAR = 1 << 40


def chat(*texts: str, **fields: object) -> Request:
    messages = tuple(Message("user", text) for text in texts)
    return Request("m", messages, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_no_token_is_wider_than_is_taken(name: str) -> None:
    every = ranks.encoding(name)._mergeable_ranks
    uncounted = prompt_bounds._UNCOUNTED
    assert max(map(len, every)) == LONGEST
    assert (
        max(len(token.translate(None, uncounted)) for token in every)
        == (prompt_bounds.WIDEST[name])
    )


@given(
    st.sampled_from(NAMES), st.lists(st.text(max_size=60) | st.sampled_from(["a" * 99, " " * 999]))
)
def test_it_is_never_more_than_the_prompt_has(name: str, texts: list[str]) -> None:
    request = chat(*texts)
    least = prompt_bounds.least(request, tokenizer(name), FAR)
    assert least <= prompt.tokens(request, tokenizer(name))


@pytest.mark.parametrize(
    "request_",
    [
        chat("The quick brown fox jumps over the lazy dog. " * 450_000),
        chat(*["a"] * 300_000),
        chat("a" * 10_000_000),
        chat("x" + " " * 20_000_000),
        chat("字" * 5_000_000),
    ],
    ids=["20 MB of text", "300,000 messages", "10 MB of a", "20 MB of spaces", "15 MB of Chinese"],
)
def test_what_is_far_too_long_is_known_so_in_milliseconds(request_: Request) -> None:
    encoding = tokenizer("o200k_base")
    began = time.process_time()
    count = prompt_bounds.tokens(request_, encoding, 128_000)
    assert count > 128_000
    assert time.process_time() - began < 0.25


def test_the_estimate_is_plausible() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 100_000
    encoding = tokenizer("o200k_base")
    exact = prompt.tokens(chat(text), encoding)
    assert prompt_bounds.tokens(chat(text), encoding, 100_000) == pytest.approx(exact, rel=0.01)


def test_what_may_fit_is_counted() -> None:
    request = chat("hello " * 1000, "a" * 999)
    encoding = tokenizer("o200k_base")
    exact = prompt.tokens(request, encoding)
    for limit in (0, exact - 1, exact, exact + 1):
        assert prompt_bounds.tokens(request, encoding, limit) == exact


@pytest.mark.parametrize(
    ("task", "limit"),
    [
        (None, 1000),
        (Embed(), 2000),
        (Embed(most=300_000), 300_000),
        (Complete(), 2000),
        (Count(), 0),
        (Moderate(), 0),
    ],
)
def test_the_limit_of_a_request(task: object, limit: int) -> None:
    assert prompt_bounds.limit(chat("a", "b", task=task), 1000) == limit
