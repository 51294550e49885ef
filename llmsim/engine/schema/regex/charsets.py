"""Sets of characters as a regular expression writes them, and which of them to show.

A set is a sorted tuple of inclusive code point ranges without overlap.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache, partial
from typing import TypeAlias

Set: TypeAlias = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
EVERYTHING: Set = ((0, LAST),)
DIGITS: Set = ((0x30, 0x39),)
WORD: Set = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACES: Set = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
LINE_ENDS: Set = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHOWN = 64
_SCANNED = 0x3000  # categories are looked up below this code point
_BROAD = 62  # a set larger than letters and digits is shown by its plainest members
_SCRIPTS: dict[str, Set] = {
    "latin": ((0x41, 0x5A), (0x61, 0x7A)),
    "greek": ((0x391, 0x3A1), (0x3A3, 0x3A9), (0x3B1, 0x3C9)),
    "cyrillic": ((0x410, 0x44F),),
    "armenian": ((0x561, 0x586),),
    "hebrew": ((0x5D0, 0x5EA),),
    "arabic": ((0x627, 0x63A), (0x641, 0x64A)),
    "devanagari": ((0x905, 0x939),),
    "thai": ((0xE01, 0xE2E),),
    "georgian": ((0x10D0, 0x10F0),),
    "hangul": ((0xAC00, 0xD7A3),),
    "hiragana": ((0x3042, 0x3093),),
    "katakana": ((0x30A2, 0x30F3),),
    "han": ((0x4E00, 0x9FA5),),
}
_CATEGORIES = (
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd",
    "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm",
    "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf",
)  # fmt: skip
_LONG_CATEGORIES = {
    "letter": "L",
    "uppercase_letter": "Lu",
    "lowercase_letter": "Ll",
    "mark": "M",
    "number": "N",
    "decimal_number": "Nd",
    "digit": "Nd",
    "punctuation": "P",
    "symbol": "S",
    "separator": "Z",
    "space_separator": "Zs",
    "alphabetic": "L",
    "uppercase": "Lu",
    "lowercase": "Ll",
    "control": "Cc",
}


def single(point: int) -> Set:
    """The set of one character."""
    return ((point, point),)


def union(*sets: Set) -> Set:
    """What is in any of the sets."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(each for one in sets for each in one):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(chars: Set) -> Set:
    """What is not in the set."""
    ranges, start = [], 0
    for low, high in chars:
        if low > start:
            ranges.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        ranges.append((start, LAST))
    return tuple(ranges)


def contains(chars: Set, char: str) -> bool:
    point = ord(char)
    return any(low <= point <= high for low, high in chars)


@lru_cache(maxsize=64)
def unicode_property(name: str) -> Set | None:
    r"""The set of ``\p{name}``: a general category or a script; None if it is not known.

    Large sets are represented by their members below U+3000, scripts by their usual letters.
    """
    kind, _, value = name.rpartition("=")
    short = value.lower()
    if kind.lower() in {"script", "sc", "script_extensions", "scx"} or (
        not kind and short in _SCRIPTS
    ):
        return _SCRIPTS.get(short)
    if short in {"any", "assigned"}:
        return EVERYTHING
    category = _LONG_CATEGORIES.get(short, value)
    if category not in _CATEGORIES:
        return None
    return union(
        *(
            single(point)
            for point in range(_SCANNED)
            if unicodedata.category(chr(point)).startswith(category)
        )
    )


@lru_cache(maxsize=512)
def printable(chars: Set) -> str:
    """The members of a set that ASCII can print."""
    return "".join(filter(partial(contains, chars), map(chr, range(0x20, 0x7F))))


@lru_cache(maxsize=512)
def alphabet(chars: Set) -> str:
    """The members of a set worth showing, at most a few dozen; empty for an empty set.

    Sets of up to letters and digits are shown whole; a larger one by small letters if it has
    them, else by what is printable, else by whatever there is, surrogates excepted.
    """
    shown = printable(chars)
    if len(shown) > _BROAD:
        return "".join(char for char in _LETTERS if char in shown) or shown
    if shown:
        return shown
    points: list[int] = []
    for low, high in chars:
        step = max(1, (high - low) // _SHOWN)
        points += range(low, high + 1, step)
        if len(points) > _SHOWN * _SHOWN:
            break
    return "".join(chr(point) for point in points if not 0xD800 <= point <= 0xDFFF)[:_SHOWN]
