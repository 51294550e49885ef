"""Generators: exact to the token, within the limit, decided by the seed."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import GeneratedText, Message, Request, Role
from llmsim.engine.text import POOL_TOKENS, Brief, Echo, Series, TextGenerator, before_stop, pool
from llmsim.engine.tokens import ranks
from llmsim.engine.tokens.tokenizer import tokenizer
from tests.engine.asking import AWKWARD

names = st.sampled_from(["lorem", "random"])
encodings = st.sampled_from(ranks.NAMES)
seeds = st.integers(0, 2**64 - 1)
sizes = st.one_of(st.integers(0, 60), st.integers(0, 3000))
texts = st.one_of(st.sampled_from(AWKWARD), st.text(max_size=60))


def brief(
    request: Request | None = None,
    seed: int = 1,
    turn: int = 0,
    target: int = 40,
    limit: int = 10_000,
    encoding: str = "o200k_base",
) -> Brief:
    request = request or Request("m", (Message("user", "hi"),))
    return Brief(request, seed, turn, target, limit, tokenizer(encoding), pieces=True)


def exact(words: GeneratedText, encoding: str) -> None:
    """The text is as many tokens as it says, and its pieces are the text."""
    assert len(ranks.encoding(encoding).encode_ordinary(words.text)) == words.tokens
    assert "".join(words.pieces) == words.text
    assert len(words.pieces) == len(words.ends) <= words.tokens
    assert list(words.ends[-1:]) == ([words.tokens - 1] if words.tokens else [])


@given(names, encodings, seeds, sizes, sizes)
def test_a_pool_speaks_the_wanted_tokens_within_the_limit(
    name: str, encoding: str, seed: int, target: int, limit: int
) -> None:
    asked = brief(seed=seed, target=target, limit=limit, encoding=encoding)
    words, whole = pool(name).generate(asked)
    assert words.tokens == min(target, limit)
    assert whole == (target <= limit)
    exact(words, encoding)


@pytest.mark.parametrize("name", ["lorem", "random"])
@pytest.mark.parametrize("encoding", ranks.NAMES)
def test_a_pool_says_more_than_it_holds(name: str, encoding: str) -> None:
    words, whole = pool(name).generate(brief(seed=5, target=2 * POOL_TOKENS + 7, limit=10**6))
    assert (words.tokens, whole) == (2 * POOL_TOKENS + 7, True)
    exact(words, encoding)


@given(names, seeds, st.integers(3, 500))
def test_a_whole_answer_reads_like_sentences(name: str, seed: int, target: int) -> None:
    words, _ = pool(name).generate(brief(seed=seed, target=target))
    assert words.text[0].isupper()
    # One word after a mark is left as it is: a full stop in its place would make two marks.
    assert re.search(r"(\.|[.,] \w+)$", words.text)
    assert not re.search(r"[.,]{2}|  | [.,]", words.text)


@given(names, seeds, st.integers(0, 500))
def test_pieces_are_made_only_for_a_stream(name: str, seed: int, target: int) -> None:
    streamed = brief(seed=seed, target=target)
    plain = Brief(
        streamed.request, seed, 0, target, streamed.limit, streamed.tokenizer, pieces=False
    )
    one, other = pool(name).generate(streamed)[0], pool(name).generate(plain)[0]
    assert (one.text, one.tokens) == (other.text, other.tokens)
    assert list(other.pieces) == []


@pytest.mark.parametrize("name", ["lorem", "random"])
def test_seeds_decide_what_a_pool_says(name: str) -> None:
    said = [pool(name).generate(brief(seed=seed))[0].text for seed in range(200)]
    again = [pool(name).generate(brief(seed=seed))[0].text for seed in range(200)]
    assert said == again
    assert len(set(said)) > 150


def conversation(*said: tuple[Role, str]) -> Request:
    return Request("m", tuple(Message(role, text) for role, text in said))


@pytest.mark.parametrize(
    ("chat", "said"),
    [
        (conversation(("user", "one")), "one"),
        (conversation(("user", "one"), ("assistant", "two"), ("user", "three")), "three"),
        (conversation(("user", "one"), ("assistant", "two"), ("tool", "three")), "one"),
        (conversation(("system", "be brief")), ""),
    ],
)
def test_echo_says_the_last_user_message(chat: Request, said: str) -> None:
    words, whole = Echo().generate(brief(chat))
    assert (words.text, whole) == (said, True)


@given(texts, encodings, st.integers(0, 40))
def test_echo_is_exact_and_within_the_limit(text: str, encoding: str, limit: int) -> None:
    request = conversation(("user", text))
    words, whole = Echo().generate(brief(request, limit=limit, encoding=encoding))
    exact(words, encoding)
    assert words.tokens <= limit
    assert text.startswith(words.text)
    assert whole == (words.text == text)


@given(st.lists(texts, min_size=1, max_size=4), st.integers(0, 9), st.integers(0, 40))
def test_a_series_says_its_texts_in_turn(said: list[str], turn: int, limit: int) -> None:
    words, whole = Series(said).generate(brief(turn=turn, limit=limit))
    wanted = said[turn % len(said)]
    exact(words, "o200k_base")
    assert words.tokens <= limit
    assert wanted.startswith(words.text)
    assert whole == (words.text == wanted)


@pytest.mark.parametrize(
    ("generator", "target"), [(pool("lorem"), 0), (Echo(), 40), (Series([""]), 40)]
)
def test_nothing_to_say_is_said_whole(generator: TextGenerator, target: int) -> None:
    words, whole = generator.generate(brief(conversation(("user", "")), target=target, limit=0))
    assert (words.text, words.tokens, whole) == ("", 0, True)


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("one two three", ["two"], ("one ", "two")),
        ("one two three", ["three", "two"], ("one ", "two")),
        ("one two three", ["four"], None),
        ("one two three", [], None),
        ("one two three", [""], None),
        ("one two three", ["", "three"], ("one two ", "three")),
        ("one two three", ["one"], ("", "one")),
        ("aaa", ["aa"], ("", "aa")),
        ("a👩‍👩b", ["\u200d"], ("a👩", "\u200d")),
        ("", ["x"], None),
    ],
)
def test_before_stop(text: str, stops: Sequence[str], expected: tuple[str, str] | None) -> None:
    assert before_stop(text, stops) == expected


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=3), max_size=4))
def test_nothing_said_holds_a_stop_sequence(text: str, stops: list[str]) -> None:
    hit = before_stop(text, stops)
    if hit is None:
        assert not any(stop in text for stop in stops)
    else:
        before, stop = hit
        assert text.startswith(before + stop)
        assert not any(other in text[: len(before) + len(other) - 1] for other in stops)
