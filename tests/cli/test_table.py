"""Plain tables."""

from __future__ import annotations

from llmsim.cli.table import table


def test_numbers_to_the_right_text_to_the_left() -> None:
    assert table(("NAME", "N", "MS"), [("a", 1, 0.25), ("bcdef", 1000, 12.0)]) == (
        "NAME      N    MS\n"
        "a         1   0.2\n"
        "bcdef  1000  12.0"
    )  # fmt: skip


def test_without_rows() -> None:
    assert table(("A", "B"), []) == "A  B"
