"""Patterns: strings in which they are found, within lengths."""

import re

import pytest

from llmsim.engine.schema.regex.pattern import Pattern
from llmsim.engine.schema.regex.spelling import spelled
from llmsim.engine.schema.regex.syntax import parse
from llmsim.engine.schema.seeded_random import SeededRandom

FOUND = [
    ("needle", 0, 100),
    ("needle", 20, 22),
    ("^start", 12, 12),
    ("end$", 12, 12),
    ("^whole$", 0, 100),
    ("^cat|dog$", 10, 11),
    ("(^|,)id(,|$)", 8, 8),
    ("(^a|b)c", 0, 9),
    ("^$", 0, 100),
    ("^", 3, 3),
    ("", 5, 5),
    (r"^\d{3}-\d{2}$", 0, 100),
    ("^[a-z]*$", 0, 0),
    ("^[a-z]*$", 900, 900),
    (r"\.", 0, 3),
    (r"^[\w.+-]+@[\w-]+\.[\w.-]+$", 30, 40),
    (r"^\x41\u0042\t\cJ\0$", 0, 9),
    ("^(?P<name>a+)(?:b)(?#comment)(?i)c$", 0, 9),
]


@pytest.mark.parametrize(("source", "low", "high"), FOUND)
def test_found_in_every_string_drawn(source: str, low: int, high: int) -> None:
    pattern = Pattern(source)
    assert pattern.exact
    for seed in range(30):
        text = pattern.draw(low, high, SeededRandom(seed, 10_000), wild=seed > 20)
        assert text is not None
        assert low <= len(text) <= high
        assert pattern.matches(text)


@pytest.mark.parametrize(
    ("source", "low", "high"),
    [("^a{3}$", 0, 2), ("^a{3}$", 4, 9), ("needle", 0, 5), ("^(ab)*$", 3, 3), ("a[]", 0, 9)],
)
def test_no_string_of_these_lengths(source: str, low: int, high: int) -> None:
    assert Pattern(source).draw(low, high, SeededRandom(1, 1000)) is None


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("^.+$", "[a-z]+"),
        (r"^\w+$", "[a-z]+"),
        (r"^[^\s]+$", "[a-z]+"),
        ("^[A-Z0-9]+$", "[A-Z0-9]+"),
        (r"^\W$", r"[ -/:-@\[-`{-~]"),
        (r"^\p{Lu}$", "[A-Z]"),
        (r"^\P{L}\p{Nd}$", "[^a-zA-Z][0-9]"),
        (r"^\p{Script=Greek}+$", "[\u0391-\u03c9]+"),
        ("^[\\u4e00-\\u9fff]$", "[\u4e00-\u9fff]"),
        (r"^[\u{1F600}-\u{1F64F}]$", "[\U0001f600-\U0001f64f]"),
        (r"^[\s\S]$", "[a-z]"),
    ],
)
def test_plain_characters_are_preferred(source: str, shown: str) -> None:
    texts = [Pattern(source).draw(1, 20, SeededRandom(seed, 1000)) or "" for seed in range(30)]
    assert [text for text in texts if not re.fullmatch(shown, text)] == []


@pytest.mark.parametrize(
    "source",
    [
        "^(a+)+$",
        r"^(\w+\s?)*$",
        "^(a|a)*b$",
        r"^(?=(a+)+$)a*b$",
        r"^(a+)+\1$",
    ],
)
def test_no_pattern_stalls_the_matching(source: str) -> None:
    assert not Pattern(source).matches("a" * 5000 + "!")


LENIENT = [r"^\${x}$", "^a{,3}$", r"^[\w-.]$", "^[^]$"]


@pytest.mark.parametrize("source", LENIENT)
def test_lenient_spellings_are_read(source: str) -> None:
    pattern = Pattern(source)
    text = pattern.draw(0, 9, SeededRandom(1, 1000))
    assert text is not None
    assert pattern.matches(text)
    assert pattern.portable != source


@pytest.mark.parametrize(
    "source",
    [
        "a|b*",
        "^(a{2,}|[^b-d]){1,3}$",
        r"^(x)(?:y)\1$",
        r"^(?=.*\d)(?!0)(?<!z)\bw\B.$",
        r"^\d\D\s\S$",
    ],
)
def test_spelling_of_a_tree_means_the_same(source: str) -> None:
    again, words = (
        spelled(parse(source)),
        ["", "a", "ab", "xyx", "xyxx", "1w.", "5b 6", "e", "aaee"],
    )
    here, there = Pattern(source), Pattern(again)
    assert [there.matches(word) for word in words] == [here.matches(word) for word in words]
