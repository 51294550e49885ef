"""What is replaced in a text, and by what: the same value by the same fake in a whole recording."""

from __future__ import annotations

import secrets as random_bytes
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, NamedTuple

import re2

from llmsim.core.mocks import regex
from llmsim.engine.tokens.ranks import encoding
from llmsim.recordings.anonymise import names, personal, secrets
from llmsim.recordings.anonymise.fakes import fakes
from llmsim.recordings.anonymise.finding import MODES, Finder, Finding, without_overlaps

TOKENIZER: Final = "o200k_base"
AROUND: Final = 24
"""Characters on both sides of a value that are counted with it."""

SHORTEST: Final = 5
"""Characters of a value from which it is also replaced where nothing but it tells what it is."""

SHORT: Final = 80
"""Characters of a text, at most, whose findings outlast its recording."""


class Edit(NamedTuple):
    """``text[start:stop]`` becomes ``new``."""

    start: int
    stop: int
    new: str
    kind: str


@dataclass(frozen=True, slots=True)
class AnonymiseRules:
    """What is to be found.

    ``mode`` is one of :data:`~llmsim.recordings.anonymise.finding.MODES`. ``patterns`` are more, by
    the name of their kind (RE2), ``names`` more people or things, ``regions`` the countries whose
    phone numbers are found without a code. Raises ValueError for a mode or pattern that is none.
    """

    mode: str = "standard"
    patterns: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    regions: tuple[str, ...] = ("US",)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"{self.mode} is no mode; there are: {', '.join(MODES)}")
        self.finders()

    def finders(self) -> tuple[Finder, ...]:
        """What finds all that, the more important first."""
        return _finders(self)


@lru_cache(maxsize=8)
def _finders(rules: AnonymiseRules) -> tuple[Finder, ...]:
    """Made once: patterns take longer to compile than a text to be looked at."""
    found: list[Finder] = [*map(_custom, rules.patterns), secrets.secrets]
    if rules.mode != "credentials":
        found += personal.finders(rules.regions)
    found += names.finders(rules.names, rules.mode == "strict")
    if rules.mode == "strict":
        found.append(personal.long_numbers)
    return tuple(found)


def _custom(pattern: tuple[str, str]) -> Finder:
    kind, text = pattern
    try:
        regex.check(text)
    except ValueError as error:
        raise ValueError(f"{kind}: {text}: {error}") from None
    return partial(_matches, re2.compile(text), kind)


def _matches(pattern: object, kind: str, text: str) -> Iterator[Finding]:
    for found in pattern.finditer(text):  # type: ignore[attr-defined]
        if found.end() > found.start():
            yield Finding(found.start(), found.end(), kind)


def _in(finders: tuple[Finder, ...], text: str) -> tuple[Finding, ...]:
    return tuple(one for finder in finders for one in finder(text))


_in_short = lru_cache(maxsize=4096)(_in)
"""Recordings share most of their short texts: roles, types, models, headers."""


class Anonymiser:
    """Replaces values in the texts of one recording.

    It is asked twice for each: :meth:`look` at all of them first, so that a value which only one
    place tells is replaced everywhere, then :meth:`edits`. ``replaced`` counts values by kind and
    place, ``tokens_changed`` says whether a fake could not keep the number of tokens.
    """

    def __init__(self, finders: Iterable[Finder], salt: bytes | None = None) -> None:
        self._finders = tuple(finders)
        self._salt = salt or random_bytes.token_bytes(16)
        self._known: dict[str, str] = {}
        self._fakes: dict[str, str] = {}
        self._looked: dict[str, tuple[Finding, ...]] = {}
        self._tokens: Callable[[str], int] = _counter()
        self.replaced: Counter[tuple[str, str]] = Counter()
        self.tokens_changed = False

    def look(self, text: str) -> None:
        """Learn which values a text holds."""
        for one in self._found(text):
            self.learn(text[one.start : one.stop], one.kind)

    def learn(self, value: str, kind: str) -> None:
        """A value that is to be replaced wherever it comes."""
        if len(value) >= SHORTEST:
            self._known.setdefault(value, kind)
            if kind == "email":
                local = value.partition("@")[0]
                if len(local) > SHORTEST and "." in local:
                    self._known.setdefault(local, "name")

    def edits(self, text: str, place: str) -> list[Edit]:
        """What to replace in a text, in its order; ``place`` says where it is, for the report."""
        made = []
        for one in without_overlaps([*self._found(text), *self._again(text)]):
            value = text[one.start : one.stop]
            made.append(Edit(one.start, one.stop, self._fake(text, one, value), one.kind))
            self.replaced[one.kind, place] += 1
        return made

    def whole(self, value: str, kind: str, place: str) -> str:
        """A value that is replaced as a whole, wherever it stands."""
        self.replaced[kind, place] += 1
        return self._fake(value, Finding(0, len(value), kind), value)

    def kinds(self, text: str) -> str:
        """The text with the kind of each value in its place."""
        made, end = [], 0
        self._looked.clear()  # this is asked of many texts
        for one in without_overlaps(self._found(text)):
            made += [text[end : one.start], f"<{one.kind}>"]
            end = one.stop
        return "".join([*made, text[end:]]) if made else text

    def _found(self, text: str) -> tuple[Finding, ...]:
        """Each text is looked at once: frames repeat most of theirs."""
        if len(text) <= SHORT:
            return _in_short(self._finders, text)
        found = self._looked.get(text)
        if found is None:
            found = self._looked[text] = _in(self._finders, text)
        return found

    def _again(self, text: str) -> Iterator[Finding]:
        """Values that are known, where nothing tells that they are some."""
        for value, kind in sorted(self._known.items(), key=lambda one: -len(one[0])):
            start = text.find(value)
            while start >= 0:
                yield Finding(start, start + len(value), kind)
                start = text.find(value, start + len(value))

    def _fake(self, text: str, found: Finding, value: str) -> str:
        made = self._fakes.get(value)
        if made is not None:
            return made
        before = text[max(found.start - AROUND, 0) : found.start]
        after = text[found.stop : found.stop + AROUND]
        wanted = self._tokens(before + value + after)
        best, least = "", -1
        for fake in fakes(found.kind, value, self._salt):
            away = abs(self._tokens(before + fake + after) - wanted)
            if least < 0 or away < least:
                best, least = fake, away
            if not away:
                break
        self.tokens_changed |= least != 0
        self._fakes[value] = best
        return best


def _counter() -> Callable[[str], int]:
    encode = encoding(TOKENIZER).encode_ordinary
    return lambda text: len(encode(text.encode(errors="replace").decode()))


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with all of these edits, which are in its order."""
    made, end = [], 0
    for one in edits:
        made += [text[end : one.start], one.new]
        end = one.stop
    return "".join([*made, text[end:]])
