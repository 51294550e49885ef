"""Numbers as a terminal shows them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from llmsim.tui import number_format


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        (number_format.count, None, "-"),
        (number_format.count, 0, "0"),
        (number_format.count, 950, "950"),
        (number_format.count, 999_999, "999,999"),
        (number_format.count, 1_234_567, "1.23M"),
        (number_format.count, 45_600_000, "45.6M"),
        (number_format.count, 7_890_000_000, "7.89G"),
        (number_format.rate, None, "-"),
        (number_format.rate, 0.0, "0"),
        (number_format.rate, 0.44, "0.4"),
        (number_format.rate, 12.34, "12.3"),
        (number_format.rate, 412.4, "412"),
        (number_format.rate, 4123.0, "4,123"),
        (number_format.rate, 41_234.0, "41.2k"),
        (number_format.rate, 1_234_000.0, "1.23M"),
        (number_format.millis, None, "-"),
        (number_format.millis, 0.0, "0.00"),
        (number_format.millis, 0.044, "0.04"),
        (number_format.millis, 9.994, "9.99"),
        (number_format.millis, 9.996, "10.0"),
        (number_format.millis, 412.3, "412"),
        (number_format.millis, 999.6, "1.00s"),
        (number_format.millis, 61_000.0, "61.0s"),
        (number_format.span, 0.9, "0s"),
        (number_format.span, 59.9, "59s"),
        (number_format.span, 187.0, "3m 07s"),
        (number_format.span, 7500.0, "2h 05m"),
        (number_format.span, 356_400.0, "4d 03h"),
        (number_format.size, None, "-"),
        (number_format.size, 860_160, "840K"),
        (number_format.size, 182 * 2**20, "182M"),
        (number_format.size, 1.25 * 2**30, "1.2G"),
    ],
)
def test_forms(form: Callable[[float | None], str], value: float | None, expected: str) -> None:
    assert form(value) == expected


@pytest.mark.parametrize("value", [0.004, 0.5, 9.999, 99.96, 999.4, 999.5, 12_345.0, 999_499.0])
def test_milliseconds_fit_a_column(value: float) -> None:
    assert len(number_format.millis(value)) <= 5


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, "-"),
        (0, 9, "0%"),
        (1, 100_000, "0.1%"),
        (99, 1000, "9.9%"),
        (1, 8, "12%"),
        (5, 5, "100%"),
    ],
)
def test_shares(part: int, whole: int, expected: str) -> None:
    assert number_format.share(part, whole) == expected


@pytest.mark.parametrize(
    ("part", "whole", "width", "expected"),
    [
        (0, 10, 4, "    "),
        (1, 10_000, 4, "▏   "),
        (5, 10, 4, "██  "),
        (9, 16, 2, "█▏"),
        (10, 10, 4, "████"),
        (20, 10, 4, "████"),
        (1, 0, 2, "  "),
        (1, 1, -3, ""),
    ],
)
def test_bars(part: float, whole: float, width: int, expected: str) -> None:
    assert number_format.bar(part, whole, width) == expected


@pytest.mark.parametrize(
    ("values", "height", "expected"),
    [
        ([], 1, [""]),
        ([None, 0.0, 1.0], 1, [" ▁█"]),
        ([0.0, 0.0], 2, ["  ", "▁▁"]),
        ([1.0, 4.0, 8.0], 1, ["▁▄█"]),
        ([1.0, 4.0, 8.0], 2, ["  █", "▂██"]),
        ([None, None], 2, ["  ", "  "]),
        ([1.0], 0, []),
    ],
)
def test_sparklines(values: list[float | None], height: int, expected: list[str]) -> None:
    assert number_format.sparkline(values, height) == expected


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("gpt-5", 5, "gpt-5"),
        ("gpt-5", 4, "gpt…"),
        ("gpt-5", 0, ""),
        ("a\x1b[31mb\n", 9, "a?[31mb?"),
    ],
)
def test_texts_are_cut_and_steer_no_terminal(text: str, width: int, expected: str) -> None:
    assert number_format.cut(text, width) == expected
