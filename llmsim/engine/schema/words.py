"""Plausible values: what a property of a given name usually holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from llmsim.engine.schema.plausible import BY_NAME, PLAIN, RANGES
from llmsim.engine.schema.seeded_random import SeededRandom

T = TypeVar("T")

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_EXAMPLE = re.compile(
    r"(?:\be\.g\.,?|\bfor example[,:]?|\bsuch as|\bexamples?:) ?[\"'`]?([^\"'`()\[\]{}\n]{1,60})",
    re.IGNORECASE,
)

_ANY_NUMBER = (1, 100, 1)


@lru_cache(maxsize=4096)
def _parts(name: str) -> tuple[str, ...]:
    """The words of a name, lower case, singular and in order: ``userIDs`` → user, id."""
    return tuple(singular(part.lower()) for part in _PARTS.findall(name[:100]))


def singular(word: str) -> str:
    """An English plural without its ending, as far as a letter or two can tell."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 2:
        return word[:-1]
    return word


@lru_cache(maxsize=4096)
def values(name: str) -> tuple[str, ...]:
    """Texts a property of this name may hold; empty if the name says nothing."""
    return _looked_up(BY_NAME, name) or ()


@lru_cache(maxsize=4096)
def range_of(name: str) -> tuple[int, int, int]:
    """The usual range of a number of this name, and how many decimals it has."""
    return _looked_up(RANGES, name) or _ANY_NUMBER


def _looked_up(table: Mapping[str, T], name: str) -> T | None:
    parts = _parts(name)
    joined = "".join(parts)
    if joined in table:
        return table[joined]
    known = [part for part in parts if part in table]
    if len(known) > 1 and known[-1] == "name":  # a "city_name" is a city
        known.pop()
    return table[known[-1]] if known else None


def is_identifier(name: str) -> bool:
    """Whether the name is that of an id: ``order_id``, ``sku``."""
    parts = _parts(name)
    return bool(parts) and parts[-1] in {"id", "sku", "uid", "key", "token", "reference"}


def identifier(name: str, rng: SeededRandom) -> str:
    """An id that shows what it identifies: ``order_4821``."""
    parts = _parts(name)
    prefix = parts[-2] if len(parts) > 1 else "id"
    return f"{prefix}_{rng.between(1000, 9999)}"


def phrase(low: int, high: int, rng: SeededRandom) -> str:
    """Words separated by spaces, between ``low`` and ``high`` characters in all."""
    text = rng.pick(PLAIN)
    while len(text) < low:
        text += " " + rng.pick(PLAIN)
    text = text[:high]
    return text[:-1] + "a" if text.endswith(" ") else text


@lru_cache(maxsize=4096)
def example(description: str) -> str | None:
    """The example a description gives: "City and state, e.g. Boston, MA" → ``Boston, MA``."""
    found = _EXAMPLE.search(description[:2000])
    if found is None:
        return None
    text = re.split(r"\.(?:\s|$)|;|,? (?:or|and|etc)\b", found[1])[0].strip(" ,.:")
    return text or None
