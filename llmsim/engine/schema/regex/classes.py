r"""Reads what stands for one character out of several: ``[a-z]``, ``\d``, ``\p{Lu}``."""

from __future__ import annotations

from llmsim.engine.schema.regex.charsets import (
    DIGITS,
    LAST,
    SPACES,
    WORD,
    Set,
    complement,
    single,
    unicode_property,
    union,
)
from llmsim.engine.schema.regex.scanner import Scanner

_SETS = {"d": DIGITS, "w": WORD, "s": SPACES}
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00, "a": 0x07}


def bracketed(text: Scanner) -> Set:
    """A class, of which the opening bracket has been read."""
    negated = text.taken("^")
    sets: list[Set] = []
    while not text.taken("]"):
        low = _member(text)
        if text.peek() == "-" and text.peek(2) != "-]":
            text.next()
            sets.append(_span(low, _member(text)))
        else:
            sets.append(low)
    chars = union(*sets)
    return complement(chars) if negated else chars


def escaped(text: Scanner, char: str) -> Set:
    """The characters meant by a backslash and ``char``, inside a class or outside."""
    if char.lower() in _SETS:
        chars = _SETS[char.lower()]
        return chars if char.islower() else complement(chars)
    if char in "pP":
        return _property(text, char == "P")
    return single(_point(text, char))


def _member(text: Scanner) -> Set:
    char = text.next()
    if char != "\\":
        return single(ord(char))
    char = text.next()
    return single(0x08) if char == "b" else escaped(text, char)


def _span(low: Set, high: Set) -> Set:
    """``a-z``; a set at either end makes the hyphen a character like any other."""
    first, last = low[0][0], high[-1][1]
    if len(low) > 1 or len(high) > 1 or low[0][1] != first or high[0][0] != last:
        return union(low, single(ord("-")), high)
    if first > last:
        raise ValueError(f"the range {chr(first)}-{chr(last)} is out of order")
    return ((first, last),)


def _point(text: Scanner, char: str) -> int:
    if char == "c":
        return ord(text.next()) % 32
    if char == "x":
        return text.hexadecimal(2)
    return _code_point(text) if char == "u" else _CONTROLS.get(char, ord(char))


def _code_point(text: Scanner) -> int:
    if text.taken("{"):
        return min(int(text.until("}")[:9], 16), LAST)
    point = text.hexadecimal(4)
    if 0xD800 <= point < 0xDC00 and text.taken("\\u"):
        return 0x10000 + ((point - 0xD800) << 10) + (text.hexadecimal(4) - 0xDC00)
    return point


def _property(text: Scanner, negated: bool) -> Set:
    name = text.until("}") if text.taken("{") else text.next()
    chars = unicode_property(name.removeprefix("^"))
    if chars is None:
        raise ValueError(f"the character property '{name[:40]}' is not known")
    return complement(chars) if negated != name.startswith("^") else chars
