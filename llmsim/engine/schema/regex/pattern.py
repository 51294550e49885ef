"""One ``pattern``: strings it is found in, and whether it is found in a given string."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile

from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.regex.language import LONGEST, Language, bits, window
from llmsim.engine.schema.regex.spelling import spelled
from llmsim.engine.schema.regex.syntax import parse
from llmsim.engine.schema.regex.tree import Edge, Group, Look, Node, Options, Repeat, Sequence
from llmsim.engine.schema.seeded_random import SeededRandom
from llmsim.engine.schema.verify import Verifier

_SHORT = 3  # characters: as short as a word may look
_SPREAD = 6
_MOST_BRANCHES = 64
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Branch:
    """One alternative of a pattern: what must be found, and where the string may go on."""

    def __init__(self, parts: tuple[Node, ...]) -> None:
        edges = [isinstance(part, Edge) and part.kind in "^$" for part in parts]
        first = edges.index(False) if False in edges else len(parts)
        last = len(parts) - edges[::-1].index(False) if False in edges else first
        self.starts = first > 0
        self.ends = last < len(parts) or (False not in edges and "$" in _kinds(parts))
        self.parts = parts[first:last]
        self.language = Language(Sequence(self.parts))
        self.shortest = (self.language.lengths & -self.language.lengths).bit_length() - 1

    def fits(self, low: int, high: int) -> bool:
        """Whether a string of ``low`` to ``high`` characters can have it."""
        if self.language.lengths & window(low, high):
            return True
        return not (self.starts and self.ends) and 0 <= self.shortest <= high

    def draw(self, low: int, high: int, rng: SeededRandom, wild: bool) -> str:
        """A string of ``low`` to ``high`` characters; :meth:`fits` must hold."""
        exact = self.language.lengths & window(low, high)
        if exact and (not wild or (self.starts and self.ends)):
            return self.language.draw(_readable(exact, rng), rng, wild)
        text = self.language.draw(self.shortest, rng, wild)
        if wild:
            low = min(max(low, len(text) + rng.below(_SPREAD)), high)
        padding = "".join(rng.pick(_LETTERS) for _ in range(low - len(text)))
        if padding and not self.language.exact:  # for \\b, keep words apart
            padding = padding[:-1] + " " if self.ends else " " + padding[1:]
        return padding + text if self.ends else text + padding

    def over(self, text: str, rng: SeededRandom) -> str:
        """``text`` with the shortest match written over some of it, where it would count."""
        if self.shortest <= 0:
            return text
        match = self.language.draw(self.shortest, rng)
        room = max(len(text) - len(match), 0)
        place = 0 if self.starts else room if self.ends else rng.below(room + 1)
        return text[:place] + match + text[place + len(match) :]


class Pattern:
    """A regular expression. Raises ValueError for one that cannot be read.

    ``portable`` is the same in a spelling that strict readers take too.
    """

    def __init__(self, source: str) -> None:
        tree = parse(source)
        self.portable, self._verifier = _verifier(source, tree)
        self.branches = [Branch(parts) for parts in _branches(tree)]
        self.exact = all(branch.language.exact for branch in self.branches)
        self.demands = [
            demand for branch in self.branches for demand in _demands(branch.parts)
        ] or self.branches[:1]

    def matches(self, text: str) -> bool:
        """Whether the pattern is found in the text; in bounded time."""
        return self._verifier.accepts(text)

    def draw(self, low: int, high: int, rng: SeededRandom, wild: bool = False) -> str | None:
        """A string of ``low`` to ``high`` characters, None if no such string matches.

        Unless :attr:`exact`, the string may turn out not to match.
        """
        branches = [branch for branch in self.branches if branch.fits(low, min(high, LONGEST))]
        if not branches or low > LONGEST:
            return None
        return rng.pick(branches).draw(low, high, rng, wild)


@lru_cache(maxsize=1024)
def pattern(source: str) -> Pattern:
    """The pattern, read once."""
    return Pattern(source)


def readable(source: str, path: Path) -> Pattern:
    """The pattern. Raises ImpossibleSchema at ``path`` for one that cannot be read."""
    try:
        return pattern(source)
    except ValueError as error:
        shown = source if len(source) <= 60 else source[:57] + "..."
        message = f"'{shown}' is not a regular expression that can be used: {error}"
        raise ImpossibleSchema(path, message) from None


def _verifier(source: str, tree: Node) -> tuple[str, Verifier]:
    """The source as the verifier can read it, and its verifier."""
    try:
        return source, Verifier({"pattern": source})
    except ValueError:
        portable = spelled(tree)
        return portable, Verifier({"pattern": portable})


def _readable(lengths: int, rng: SeededRandom) -> int:
    """One of the lengths, like a word's if possible, otherwise short."""
    shortest = (lengths & -lengths).bit_length() - 1
    start = max(shortest, _SHORT)
    near = lengths & window(start, start + _SPREAD) or lengths & window(0, shortest + _SPREAD)
    return rng.pick(bits(near & ~1 or near))


def _kinds(parts: Iterable[Node]) -> set[str]:
    return {part.kind for part in parts if isinstance(part, Edge)}


def _branches(node: Node) -> list[tuple[Node, ...]]:
    """The alternatives of a tree, with those at its ends that hold a ``^`` or ``$`` taken apart."""
    done: list[tuple[Node, ...]] = []
    waiting = [_parts(node)]
    while waiting:
        parts = waiting.pop()
        for at in (0, len(parts) - 1):
            if parts and (options := _options(parts[at])):
                head, tail = parts[:at], parts[at + 1 :]
                waiting += [head + option + tail for option in reversed(options)]
                break
        else:
            done.append(parts)
        if len(done) + len(waiting) > _MOST_BRANCHES:
            return done + waiting
    return done


def _options(node: Node) -> list[tuple[Node, ...]] | None:
    """A node that hides an edge, or alternatives at the top, as sequences of parts."""
    match node:
        case Options(options):
            return list(map(_parts, options))
        case Group(_, part) if _has_edge(part):
            return _options(part) or [(part,)]
        case Sequence(parts) if parts:
            return [parts]
    return None


def _has_edge(node: Node) -> bool:
    match node:
        case Edge(kind):
            return kind in "^$"
        case Sequence(parts) | Options(parts):
            return any(map(_has_edge, parts))
        case Group(_, part):
            return _has_edge(part)
    return False


def _demands(parts: tuple[Node, ...]) -> list[Branch]:
    """What looking ahead from its start, or back from its end, a branch wants to see."""
    found = []
    for part in takewhile(_is_look, parts):
        if isinstance(part, Look) and part.ahead and part.wanted:
            inner = _parts(part.part)
            while inner and isinstance(inner[0], Repeat) and inner[0].low == 0:
                inner = inner[1:]
            found.append(Branch(inner))
    found += [
        Branch((*_parts(part.part), Edge("$")))
        for part in takewhile(_is_look, reversed(parts))
        if isinstance(part, Look) and not part.ahead and part.wanted
    ]
    return found


def _is_look(node: Node) -> bool:
    return isinstance(node, Look)


def _parts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, Sequence) else (node,)
