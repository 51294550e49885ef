"""YAML text to a tree in which every value knows where it was written.

libyaml composes the nodes, by way of PyYAML; what it refuses PyYAML composes itself, which says
better what is wrong and is a dozen times slower. This module turns them into the three small types
of :mod:`llmsim.config.nodes`, so that nothing past it knows YAML and values from flags and the
environment look like values from the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from llmsim.config.nodes import (
    DEEPEST,
    Entry,
    Faults,
    Items,
    Node,
    Place,
    Plain,
    Scalar,
    Table,
    dotted,
    wrong,
)

MAX_NODES: Final = 200_000
"""How many values the aliases of a file may stand for."""

MOST_OPENED: Final = 500
"""Lists and mappings in brackets: PyYAML takes the square of their depth."""

SHORT: Final = 2**18
"""Characters up to which PyYAML itself has a say: it takes a second and more for as many."""

_Fast: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


EMPTY: Final = (
    "is empty, as a file is that is just being written: not taken while the server runs; "
    "what says nothing on purpose is {}"
)


def read(path: str, faults: Faults, reloading: bool = False) -> Node:
    """The tree of a YAML file; an empty file is an empty table, and a fault in ``reloading``.

    Duplicate keys and the like are added to ``faults``. Raises ConfigError where the file
    cannot be read or is no YAML at all.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(Place(path), "", f"not a text file in UTF-8 ({error.reason})") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise wrong(Place(path), "", f"cannot be read: {reason}") from None
    return parsed(text, path, faults, reloading)


def parsed(text: str, where: str, faults: Faults, reloading: bool = False) -> Node:
    """The tree of YAML text, as :func:`read` gives that of a file; ``where`` names its source."""
    root = _compose(text, where)
    if root is not None:
        return _Walk(where, faults).node(root, "")
    if reloading:
        raise wrong(Place(where), "", EMPTY)
    return Table(Place(where, 1), {})


def _compose(text: str, where: str) -> yaml.Node | None:
    try:
        try:
            root: yaml.Node | None = yaml.compose(text, Loader=_Fast)
        except (yaml.YAMLError, UnicodeEncodeError):
            if len(text) > SHORT or text.count("[") + text.count("{") > MOST_OPENED:
                raise
            root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        line = mark.line + 1 if mark else None
        if "maximum nesting depth" in problem:  # libyaml's
            raise wrong(Place(where, line), "", "nested too deeply") from None
        raise wrong(Place(where, line), "", f"not valid YAML: {problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise wrong(Place(where, line), "", f"not valid YAML: {error.reason}") from None
    except RecursionError:
        raise wrong(Place(where), "", "nested too deeply") from None
    return root


_TAG: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = frozenset(_TAG + name for name in ("str", "timestamp", "merge", "value"))


def _whole(text: str) -> int | str:
    """A number as Python writes it; ``010`` and ``1:30``, odd in YAML 1.1, stay text."""
    try:
        return int(text, 0)
    except ValueError:
        return text


def _real(text: str) -> float | str:
    bare = text.lower().lstrip("+-")
    if bare in (".inf", ".nan"):
        return math.inf if bare == ".inf" else math.nan
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(slots=True)
class _Walk:
    where: str
    faults: Faults
    open: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    repeated: int = 0

    def node(self, node: yaml.Node, key: str) -> Node:
        """The tree of one YAML node. Raises ConfigError for what would never end."""
        place = Place(self.where, node.start_mark.line + 1)
        if id(node) in self.open:
            raise wrong(place, key, "an alias inside the value it stands for")
        if len(self.open) == DEEPEST:
            raise wrong(place, key, "nested too deeply")
        if id(node) in self.seen:
            self.repeated += 1
            if self.repeated > MAX_NODES:
                raise wrong(place, key, f"more than {MAX_NODES} values once aliases are expanded")
        self.seen.add(id(node))
        self.open.add(id(node))
        try:
            return self._node(node, place, key)
        finally:
            self.open.discard(id(node))

    def _node(self, node: yaml.Node, place: Place, key: str) -> Node:
        if isinstance(node, yaml.MappingNode):
            return Table(place, self._entries(node, key))
        if isinstance(node, yaml.SequenceNode):
            return Items(
                place, tuple(self.node(n, f"{key}[{i}]") for i, n in enumerate(node.value))
            )
        return self._scalar(node, place, key)

    def _entries(self, node: yaml.MappingNode, key: str) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for name_node, value_node in node.value:
            place = Place(self.where, name_node.start_mark.line + 1)
            if not isinstance(name_node, yaml.ScalarNode):
                self.faults += wrong(place, key, "a key must be text").faults
                continue
            name = name_node.value
            path = dotted(key, name)
            if name in entries:
                first = entries[name].place.line
                self.faults += wrong(place, path, f"set twice, first on line {first}").faults
            entries[name] = Entry(place, self.node(value_node, path))
        return entries

    def _scalar(self, node: yaml.Node, place: Place, key: str) -> Scalar:
        text: str = node.value
        value: Plain = text
        if node.tag == _TAG + "null":
            value = None
        elif node.tag == _TAG + "bool":
            value = yaml.SafeLoader.bool_values.get(text.lower(), text)
        elif node.tag == _TAG + "int":
            value = _whole(text)
        elif node.tag == _TAG + "float":
            value = _real(text)
        elif node.tag not in _TEXT_TAGS:
            self.faults += wrong(place, key, f"the tag {node.tag} is not read here").faults
        return Scalar(place, value, text, typed=bool(getattr(node, "style", None)))
