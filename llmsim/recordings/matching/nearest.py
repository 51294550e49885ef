"""How a request differs from those that were recorded, for the message of a miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from llmsim.recordings.matching.canonical import Canonical

LONGEST = 60
"""Characters of a value that are shown."""

COMPARED = 2000
"""Characters of two texts that are compared for how alike they are."""


class Difference(NamedTuple):
    """A place at which two requests differ: ``path`` in the body, and what each has there (None:
    nothing)."""

    path: str
    recorded: Any
    asked: Any

    def __str__(self) -> str:
        return f"{self.path}: recorded {_shown(self.recorded)}, asked {_shown(self.asked)}"


class Nearest(NamedTuple):
    """The recording that is nearest to a request, and in what it differs."""

    id: str
    differences: tuple[Difference, ...]


def differences(recorded: Canonical, asked: Canonical) -> Iterator[Difference]:
    """All places at which they differ, in the order of the body."""
    yield from _compared("", recorded, asked)


def nearest(asked: Canonical, recorded: Iterable[tuple[str, Canonical]]) -> Nearest | None:
    """The nearest of these recordings (id, request); None if there is none. One that differs in
    fewer places is nearer, and of those the one whose values there are more alike."""
    best: tuple[tuple[int, float], Nearest] | None = None
    for name, one in recorded:
        found = tuple(differences(one, asked))
        distance = (len(found), sum(_unlike(*place[1:]) for place in found))
        if best is None or distance < best[0]:
            best = distance, Nearest(name, found)
    return best[1] if best else None


def _compared(path: str, recorded: Any, asked: Any) -> Iterator[Difference]:
    if isinstance(recorded, dict) and isinstance(asked, dict):
        for name in dict.fromkeys((*recorded, *asked)):
            below = f"{path}.{name}" if path else name
            yield from _compared(below, recorded.get(name), asked.get(name))
    elif isinstance(recorded, list) and isinstance(asked, list):
        for place in range(max(len(recorded), len(asked))):
            one = recorded[place] if place < len(recorded) else None
            other = asked[place] if place < len(asked) else None
            yield from _compared(f"{path}[{place}]", one, other)
    elif recorded != asked:
        yield Difference(path, recorded, asked)


def _unlike(recorded: Any, asked: Any) -> float:
    """From 0 for equal to 1 for nothing in common."""
    one, other = str(recorded)[:COMPARED], str(asked)[:COMPARED]
    return 1.0 - SequenceMatcher(None, one, other, autojunk=False).quick_ratio()


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
