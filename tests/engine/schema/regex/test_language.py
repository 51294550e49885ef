"""Lengths of strings are known exactly, and every string drawn matches."""

import re
from itertools import product

import pytest

from llmsim.engine.schema.regex.language import Language, bits, window
from llmsim.engine.schema.regex.syntax import parse
from llmsim.engine.schema.seeded_random import SeededRandom

PATTERNS = [
    "",
    "a",
    "abc",
    "a|bc",
    "a*",
    "a+b",
    "(ab)*",
    "(ab|c)*",
    "(aa|bbb)+",
    "a{2,4}",
    "(ab){2}",
    "(ab){1,}c?",
    "(a|bb){2,3}",
    "((a|b)c){0,2}",
    "[ab]{3}|c",
    "(?:a?b?){2}",
    "(a{2}|){2}",
    "(a*)*b",
    "[^ab]+",
    "(ab){0}",
]
WORDS = ["".join(letters) for n in range(6) for letters in product("abc", repeat=n)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_lengths_are_those_of_all_matches(pattern: str) -> None:
    lengths = {len(word) for word in WORDS if re.fullmatch(pattern, word)}
    assert {n for n in bits(Language(parse(pattern)).lengths) if n < 6} == lengths


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("wild", [False, True])
def test_strings_match_and_have_the_length(pattern: str, wild: bool) -> None:
    language = Language(parse(pattern))
    for length in bits(language.lengths & window(0, 40)):
        for seed in range(5):
            text = language.draw(length, SeededRandom(seed, 10_000), wild)
            assert len(text) == length
            assert re.fullmatch(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "length"), [("(a+)+", 4000), ("(a|aa)+", 4000), ("(.*)(.*)(.*)x", 1000)]
)
def test_expressions_that_stall_a_matcher_do_not_stall_the_drawing(
    pattern: str, length: int
) -> None:
    assert len(Language(parse(pattern)).draw(length, SeededRandom(1, 20_000))) == length


@pytest.mark.parametrize(
    ("pattern", "exact"),
    [("a[bc]*", True), ("(?=a).", False), (r"a\b", False), (r"(a)\1", False), ("(?<!b)a", False)],
)
def test_exact_unless_something_is_left_to_check(pattern: str, exact: bool) -> None:
    assert Language(parse(pattern)).exact is exact


def test_back_reference_repeats_its_group() -> None:
    language = Language(parse(r"([a-z]{3})-\1"))
    first, second = language.draw(7, SeededRandom(3, 1000)).split("-")
    assert first == second
