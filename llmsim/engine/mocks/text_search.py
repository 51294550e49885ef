"""Which of many texts and patterns occur in a text, in one pass for all of them.

RE2 looks for the letters that each pattern needs (its FilteredRE2) and tries only patterns whose
letters are there, so a thousand that are not cost about as much as one. All it does takes linear
time, and it lets other threads run meanwhile; those keep a busy worker's loop waiting, so a few
texts are looked for one by one instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import re2

from llmsim.core.mocks.match import MatchMode
from llmsim.core.mocks.regex import compiled, options

SEARCHED = 200_000
"""Characters of one text that regular expressions look at. All of it is looked at otherwise."""
FEW = 32
"""Texts that are looked for one by one: a thousand cost about as much as these do."""
LONGEST = 1000
"""Characters of a text that is looked for together with others; longer ones are by themselves."""


class TextSearch:
    """All that mocks look for in one place of a request, each by a number.

    First everything is added, then the rest is called.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[MatchMode, str, bool], int] = {}
        self._patterns: list[int] = []
        self._regexes: Any = None
        self._needles: list[int] = []
        self._literals: Any = None
        self._contained: list[tuple[str, bool, int]] = []
        self._single: list[tuple[str, bool, int]] = []
        self._equal: dict[str, int] = {}
        self._alike: dict[str, int] = {}
        self.steps = 0  # for each character searched, at most, roughly

    def add(self, how: MatchMode, text: str, ignore_case: bool) -> int:
        """The number of what is looked for, the same for the same."""
        key = (how, text, ignore_case)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers)
            self._place(number, how, text, ignore_case)
        return number

    def _place(self, number: int, how: MatchMode, text: str, ignore_case: bool) -> None:
        if how == "equals":
            if ignore_case:
                self._alike[text.lower()] = number
            else:
                self._equal[text] = number
        elif how == "contains":
            self._contained.append((text, ignore_case, number))
            self.steps += 1
        else:
            pattern = f"(?i:{text})" if ignore_case else text
            self._regexes = self._regexes or re2.Filter()
            self._regexes.Add(pattern, options())
            self._patterns.append(number)
            self.steps += compiled(pattern).programsize

    def compile(self) -> None:
        """Nothing is added any more."""
        few = len(self._contained) <= FEW
        for text, ignore_case, number in self._contained:
            if few or len(text) > LONGEST:
                self._single.append((text.lower() if ignore_case else text, ignore_case, number))
            else:
                pattern = re2.escape(text)
                self._literals = self._literals or re2.Filter()
                self._literals.Add(f"(?i:{pattern})" if ignore_case else pattern, options())
                self._needles.append(number)
        for found in (self._literals, self._regexes):
            if found is not None:
                found.Compile()

    def weight(self, texts: Iterable[str]) -> int:
        """How many steps a search in these takes at most, roughly."""
        return sum(map(len, texts)) * self.steps

    def found(self, texts: Sequence[str]) -> set[int]:
        """The numbers of all that is found in any of the texts."""
        numbers: set[int] = set()
        for text in texts:
            self._search(text, numbers)
        return numbers

    def _search(self, text: str, numbers: set[int]) -> None:
        if self._literals is not None or self._regexes is not None:
            encoded = text.encode(errors="replace")
            if self._literals is not None:
                for place in self._literals.Match(encoded) or ():
                    numbers.add(self._needles[place])
            if self._regexes is not None:
                if len(text) > SEARCHED:
                    encoded = text[:SEARCHED].encode(errors="replace")
                for place in self._regexes.Match(encoded) or ():
                    numbers.add(self._patterns[place])
        if self._equal and (number := self._equal.get(text)) is not None:
            numbers.add(number)
        if self._alike and (number := self._alike.get(text.lower())) is not None:
            numbers.add(number)
        if self._single:
            lower = text.lower()
            for needle, ignore_case, number in self._single:
                if needle in (lower if ignore_case else text):
                    numbers.add(number)
