"""What is found in a text, whether little is looked for or much."""

from __future__ import annotations

import pytest

from llmsim.core.mocks.match import MatchMode
from llmsim.engine.mocks.text_search import FEW, LONGEST, TextSearch

TEXT = "Wie wird das WETTER in Köln? It's 72°F (sunny).\nBring *nothing*."


def words(others: int) -> TextSearch:
    """Words that look for so much else, which is in no text."""
    made = TextSearch()
    for place in range(others):
        made.add("contains", f"nowhere {place}", place % 2 == 0)
    return made


@pytest.mark.parametrize("others", [0, FEW - 1, FEW, 4 * FEW])
@pytest.mark.parametrize(
    ("how", "sought", "ignore_case", "found"),
    [
        ("contains", "wetter", True, True),
        ("contains", "wetter", False, False),
        ("contains", "WETTER", False, True),
        ("contains", "KÖLN", True, True),
        ("contains", "72°f (SUNNY)", True, True),
        ("contains", "*nothing*.", False, True),
        ("contains", "(sunny).\nbring", True, True),
        ("contains", "w.tter", True, False),
        ("contains", "x" * (LONGEST + 1), True, False),
        ("equals", TEXT, False, True),
        ("equals", TEXT.upper().lower(), True, True),
        ("equals", "wetter", True, False),
        ("regex", r"w.tter in \w+", True, True),
        ("regex", r"w.tter", False, False),
    ],
)
def test_a_text_is_found(
    others: int, how: MatchMode, sought: str, ignore_case: bool, found: bool
) -> None:
    made = words(others)
    number = made.add(how, sought, ignore_case)
    assert made.add(how, sought, ignore_case) == number
    made.compile()
    assert made.found([TEXT]) == ({number} if found else set())
    assert made.found(["nothing of it", TEXT]) == ({number} if found else set())
    assert made.found([]) == set()


@pytest.mark.parametrize("others", [0, 4 * FEW])
def test_a_long_text_is_found(others: int) -> None:
    long = "Lorem ipsum " * LONGEST
    made = words(others)
    number = made.add("contains", long.upper(), True)
    made.compile()
    assert made.found([f"… {long} …"]) == {number}
