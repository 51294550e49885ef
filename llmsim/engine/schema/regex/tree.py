"""Regular expressions as trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from llmsim.engine.schema.regex.charsets import Set


@dataclass(frozen=True, slots=True, eq=False)
class Char:
    """One character out of ``chars``."""

    chars: Set


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """``part`` from ``low`` to ``high`` times (None: any number)."""

    part: Node
    low: int
    high: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    number: int
    part: Node


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    r"""What group ``number`` matched (``\1``)."""

    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    r"""A position: ``^``, ``$``, ``b`` or ``B``."""

    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A look around: ``part`` must (or must not, unless ``wanted``) match here."""

    part: Node
    ahead: bool
    wanted: bool


Node: TypeAlias = Char | Sequence | Options | Repeat | Group | Again | Edge | Look

EMPTY = Sequence(())
