"""A value that is to be replaced, and what finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

MODES: Final = ("credentials", "standard", "strict")
"""Each finds what those before it find, and more."""


class Finding(NamedTuple):
    """``text[start:stop]`` is a value of this kind."""

    start: int
    stop: int
    kind: str


Finder: TypeAlias = Callable[[str], Iterable[Finding]]
"""Finds values of some kinds in a text."""


def without_overlaps(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings in the order of the text; of those that overlap, the one that came first in
    ``findings``: finders are asked in the order of their importance."""
    taken: list[Finding] = []
    for one in findings:
        if all(one.stop <= other.start or other.stop <= one.start for other in taken):
            taken.append(one)
    yield from sorted(taken)
