"""Strings: plausible by name, or by format and pattern, within their lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llmsim.engine.schema import words
from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.makers.formats import FORMATS
from llmsim.engine.schema.plausible import PLAIN
from llmsim.engine.schema.regex.language import LONGEST
from llmsim.engine.schema.regex.pattern import pattern
from llmsim.engine.schema.seeded_random import SeededRandom
from llmsim.engine.schema.spot import Spot

MOST_CHARACTERS = 100_000
_TRIES = 64
_STEP = 64  # characters that take as long as any other part of a value
_NATURAL = 4
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


@dataclass(frozen=True, slots=True)
class Lengths:
    """Bounds on the number of characters."""

    low: int
    high: int

    def holds(self, text: str) -> bool:
        return self.low <= len(text) <= self.high


def lengths(facets: Iterable[Facet], path: Path) -> Lengths:
    """All bounds together. Raises ImpossibleSchema where they leave nothing."""
    low, high = 0, MOST_CHARACTERS
    for facet in facets:
        low = max(low, facet.get("minLength", 0))
        high = min(high, facet.get("maxLength", high))
    if low > MOST_CHARACTERS:
        raise ImpossibleSchema(path, f"minLength {low} is more than {MOST_CHARACTERS} characters")
    if low > high:
        raise ImpossibleSchema(path, f"minLength {low} is above maxLength {high}")
    return Lengths(low, high)


class Texts:
    """Strings whose length is all that matters."""

    __slots__ = ("_example", "_hint", "_lengths")

    def __init__(self, wanted: Lengths, hint: str, description: str) -> None:
        self._lengths = wanted
        self._hint = hint
        example = words.example(description) if description else None
        self._example = example if example and wanted.holds(example) else None

    def needs(self) -> Iterable[Spot]:
        return ()

    def all_values(self) -> Sequence[Any]:
        return ()

    def height(self) -> int:
        return 0

    def make(self, rng: SeededRandom, room: int, name: str) -> str:
        rng.spend()
        if rng.wild:
            return self._wild(rng)
        if self._example is not None and rng.below(3):
            return self._example
        if plausible := words.values(self._hint) or words.values(name):
            text = rng.pick(plausible)
        elif words.is_identifier(name):
            text = words.identifier(name, rng)
        else:
            text = rng.pick(PLAIN)
        if self._lengths.holds(text):
            return text
        rng.spend(self._lengths.low // _STEP)
        return words.phrase(self._lengths.low, self._lengths.high, rng)

    def _wild(self, rng: SeededRandom) -> str:
        low, high = self._lengths.low, self._lengths.high
        rng.spend(low // _STEP)
        return "".join(rng.pick(_PRINTABLE) for _ in range(rng.between(low, min(high, low + 12))))


class Formed:
    """Strings of a format, a pattern, or several of both."""

    __slots__ = ("_accepts", "_forms", "_lengths", "_path", "_patterns")

    def __init__(
        self,
        wanted: Lengths,
        patterns: list[str],
        formats: list[str],
        accepts: Callable[[str], bool],
        path: Path,
    ) -> None:
        self._lengths = wanted
        self._forms = [FORMATS[name] for name in formats]
        self._patterns = [pattern(source) for source in patterns]
        sure = len(patterns) + len(formats) == 1 and all(each.exact for each in self._patterns)
        self._accepts = wanted.holds if sure else accepts
        self._path = path
        if wanted.low > LONGEST:
            raise ImpossibleSchema(path, f"minLength {wanted.low} is too much for a pattern")
        for source, each in zip(patterns, self._patterns, strict=True):
            if not any(branch.fits(wanted.low, wanted.high) for branch in each.branches):
                message = f"no string of {wanted.low} to {wanted.high} characters matches"
                raise ImpossibleSchema(path, f"{message} '{source[:60]}'")

    def needs(self) -> Iterable[Spot]:
        return ()

    def all_values(self) -> Sequence[Any]:
        return ()

    def height(self) -> int:
        return 0

    def make(self, rng: SeededRandom, room: int, name: str) -> str:
        for text in self._attempts(rng):
            rng.spend()
            if self._lengths.holds(text) and self._accepts(text):
                return text
        raise ImpossibleSchema(self._path, "no string was found that has the pattern and format")

    def _attempts(self, rng: SeededRandom) -> Iterator[str]:
        if not rng.wild:
            for form in self._forms:
                for _ in range(_NATURAL):
                    yield form.natural(rng)
        leads = self._patterns + [pattern(form.pattern) for form in self._forms]
        for attempt in range(_TRIES):
            lead = leads[attempt % len(leads)]
            low, high = self._lengths.low, self._lengths.high
            rng.spend(low // _STEP)
            text = lead.draw(low, high, rng, wild=rng.wild or attempt > _TRIES // 2)
            if text is not None:
                yield self._overwritten(text, rng) if attempt >= len(leads) else text

    def _overwritten(self, text: str, rng: SeededRandom) -> str:
        """The text with what each pattern wants to see somewhere in it."""
        for each in self._patterns:
            for demand in each.demands:
                text = demand.over(text, rng)
        return text


def strings(facets: Iterable[Facet], accepts: Callable[[str], bool], path: Path) -> Texts | Formed:
    """What makes strings for the facets, which ``accepts`` checks in full."""
    facets = list(facets)
    wanted = lengths(facets, path)
    patterns = list(dict.fromkeys(each["pattern"] for each in facets if "pattern" in each))
    formats = list(dict.fromkeys(each["format"] for each in facets if "format" in each))
    known = [name for name in formats if name in FORMATS]
    if patterns or known:
        return Formed(wanted, patterns, known, accepts, path)
    descriptions = [each["description"] for each in facets if "description" in each]
    description = next((each for each in descriptions if isinstance(each, str)), "")
    return Texts(wanted, next(iter(formats), ""), description)
