"""The strings of a given length that a regular expression matches.

Which lengths a node can have is known exactly, as an integer whose bit n says that some string
of n characters matches. A string is then drawn from the top down: each part is given a length
that the others can make up to the whole. There is no search, so no expression can stall it.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmsim.engine.schema.regex.charsets import Set, alphabet, printable
from llmsim.engine.schema.regex.tree import (
    Again,
    Char,
    Edge,
    Group,
    Look,
    Node,
    Options,
    Repeat,
    Sequence,
)
from llmsim.engine.schema.seeded_random import SeededRandom

LONGEST = 4096
"""Characters: the longest string drawn from a regular expression."""

_ALL = (1 << (LONGEST + 1)) - 1


def bits(mask: int) -> list[int]:
    """The numbers a mask stands for, ascending."""
    found: list[int] = []
    for low, length in _runs(mask):
        found += range(low, low + length)
    return found


def window(low: int, high: int) -> int:
    """The mask of all lengths from ``low`` to ``high``."""
    return ((1 << (min(high, LONGEST) + 1)) - 1) >> low << low if low <= high else 0


def _runs(mask: int) -> Iterator[tuple[int, int]]:
    """Start and length of each run of ones."""
    start = 0
    while mask:
        skip = (mask & -mask).bit_length() - 1
        mask >>= skip
        start += skip
        length = ((mask + 1) & -(mask + 1)).bit_length() - 1
        yield start, length
        mask >>= length
        start += length


def _sum(left: int, right: int) -> int:
    """Lengths of a string of ``left`` followed by one of ``right``."""
    total = 0
    for low, length in _runs(left):
        shifted, covered = right << low, 1
        while covered < length:
            more = min(covered, length - covered)
            shifted |= shifted << more
            covered += more
        total |= shifted
    return total & _ALL


def _times(mask: int, count: int) -> int:
    """Lengths of ``count`` strings of ``mask`` in a row."""
    total = 1
    while count and total:
        if count & 1:
            total = _sum(total, mask)
        mask = _sum(mask, mask)
        count >>= 1
    return total


def _any_times(mask: int) -> int:
    total, before = mask | 1, 0
    while total != before:
        total, before = _sum(total, total), total
    return total


class Language:
    """Lengths and strings of one tree; ``exact`` if every string drawn is sure to match."""

    def __init__(self, node: Node) -> None:
        self._groups: dict[int, Node] = {}
        self._lengths: dict[int, int] = {}
        self._repeats: dict[tuple[int, int, int | None], int] = {}
        self._node = node
        self.exact = True
        self.lengths = self._measure(node)

    def draw(self, length: int, rng: SeededRandom, wild: bool = False) -> str:
        """A string of ``length`` characters, which must be one of ``lengths``.

        ``wild`` draws from all printable characters instead of the plainest.
        """
        out: list[str] = []
        _Draft(self, rng, wild, out).write(self._node, length)
        return "".join(out)

    def of(self, node: Node) -> int:
        """Lengths of one node of the tree."""
        return self._lengths[id(node)]

    def repeated(self, part: Node, low: int, high: int | None) -> int:
        """Lengths of ``low`` to ``high`` strings of ``part``."""
        key = (id(part), low, high)
        if key not in self._repeats:
            one = self._lengths[id(part)]
            rest = _any_times(one) if high is None else _times(one | 1, high - low)
            self._repeats[key] = _sum(_times(one, low), rest)
        return self._repeats[key]

    def _measure(self, node: Node) -> int:
        lengths = self._lengths[id(node)] = self._measured(node)
        return lengths

    def _measured(self, node: Node) -> int:
        total = 0
        match node:
            case Char(chars):
                total = 2 if alphabet(chars) else 0
            case Sequence(parts):
                total = 1
                for part in parts:
                    total = _sum(total, self._measure(part))
            case Options(options):
                for option in options:
                    total |= self._measure(option)
            case Repeat(part, low, high):
                self._measure(part)
                total = self.repeated(part, low, high)
            case Group(number, part):
                self._groups[number] = part
                total = self._measure(part)
            case Again(number):
                self.exact = False
                total = self._lengths.get(id(self._groups.get(number)), 1)
            case Edge() | Look():
                self.exact = False
                total = 1
        return total


class _Draft:
    """One string being written, with what its groups have matched so far."""

    __slots__ = ("_groups", "_language", "_out", "_rng", "_wild")

    def __init__(self, language: Language, rng: SeededRandom, wild: bool, out: list[str]) -> None:
        self._language = language
        self._rng = rng
        self._wild = wild
        self._out = out
        self._groups: dict[int, str] = {}

    def write(self, node: Node, length: int) -> None:
        self._rng.spend()
        match node:
            case Char(chars):
                self._out.append(self._char(chars))
            case Sequence(parts):
                self._sequence(parts, length)
            case Options(options):
                fitting = [each for each in options if self._language.of(each) >> length & 1]
                self.write(self._rng.pick(fitting), length)
            case Repeat(part, low, high):
                self._repeat(part, low, high, length)
            case Group(number, part):
                start = len(self._out)
                self.write(part, length)
                self._groups[number] = "".join(self._out[start:])
            case Again(number):
                self._out.append(self._groups.get(number, ""))
            case Edge() | Look():
                pass

    def _char(self, chars: Set) -> str:
        return self._rng.pick((self._wild and printable(chars)) or alphabet(chars))

    def _sequence(self, parts: tuple[Node, ...], length: int) -> None:
        rests = [1]
        for part in reversed(parts[1:]):
            rests.append(_sum(self._language.of(part), rests[-1]))
        for part in parts:
            rest = rests.pop()
            share = self._share(self._language.of(part), rest, length)
            self.write(part, share)
            length -= share

    def _repeat(self, part: Node, low: int, high: int | None, length: int) -> None:
        one = self._language.of(part)
        if one == 2 and isinstance(part, Char):
            self._out += [self._char(part.chars) for _ in range(length)]
            return
        while length or low:
            low, high = max(low - 1, 0), high if high is None else high - 1
            rest = self._language.repeated(part, low, high)
            share = self._share(one & ~1, rest, length, default=0)
            self.write(part, share)
            length -= share

    def _share(self, one: int, rest: int, length: int, default: int | None = None) -> int:
        """A length for one part that leaves the rest a length it can have."""
        fitting = [n for n in bits(one & window(0, length)) if rest >> (length - n) & 1]
        return self._rng.pick(fitting) if fitting or default is None else default
