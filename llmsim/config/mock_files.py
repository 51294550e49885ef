"""``mock_files``: mocks and scripts from files of their own, added to those of the configuration.

A file, YAML or JSON, is a list of mocks or a mapping with the keys ``mocks`` and ``scripts``. Its
path is relative to the file that names it. Faults in it name it and its own lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmsim.config import document
from llmsim.config.nodes import Entry, Faults, Items, Node, Place, Table, is_null, shown, wrong
from llmsim.config.reader import read_key
from llmsim.core.errors import ConfigError
from llmsim.core.spelling import did_you_mean

KEY: Final = "mock_files"
SECTIONS: Final = ("mocks", "scripts")
VALID: Final = f"a list of mocks, or a mapping with the keys {', '.join(SECTIONS)}"


def included(root: Node, path: str, faults: Faults, reloading: bool = False) -> Node:
    """The tree of the configuration at ``path`` with the mocks and scripts of the files it names
    in place of their names. Faults are added to ``faults``; an empty file is one in
    ``reloading``."""
    if not isinstance(root, Table) or KEY not in root.entries:
        return root
    entries = dict(root.entries)
    entry = entries.pop(KEY)
    added: dict[str, list[Node]] = {name: [] for name in SECTIONS}
    with faults.caught():
        for index, name in enumerate(read_key(KEY, entry.node)):
            assert isinstance(entry.node, Items)
            place = entry.node.nodes[index].place
            with faults.caught():
                file = str(Path(path).parent / name)
                _add(file, f"{KEY}[{index}]", place, added, faults, reloading)
    for name, nodes in added.items():
        before = entries.get(name, Entry(entry.place, Items(entry.place, ())))
        own = Items(before.place, ()) if is_null(before.node) else before.node
        # What is no list is left for its reader to complain about.
        if nodes and isinstance(own, Items):
            both = Items(own.place, (*own.nodes, *nodes))
            entries[name] = Entry(before.place, both)
    return Table(root.place, entries)


def _add(
    path: str,
    key: str,
    place: Place,
    added: dict[str, list[Node]],
    faults: Faults,
    reloading: bool,
) -> None:
    """Adds what is in one file. Raises ConfigError."""
    if not Path(path).is_file():
        raise wrong(place, key, f"there is no file {path}")
    found = document.read(path, faults, reloading)
    if isinstance(found, Items):
        added["mocks"] += found.nodes
        return
    if not isinstance(found, Table):
        raise wrong(found.place, "", f"must be {VALID}, not {shown(found)}")
    for name, entry in found.entries.items():
        with faults.caught():
            if name not in SECTIONS:
                hint = did_you_mean(name, SECTIONS)
                message = f"unknown key{hint}; valid are {', '.join(SECTIONS)}"
                raise wrong(entry.place, name, message)
            if not isinstance(entry.node, Items):
                raise wrong(entry.node.place, name, f"must be a list, not {shown(entry.node)}")
            added[name] += entry.node.nodes


def named(path: str) -> tuple[Path, ...]:
    """The files that the configuration at ``path`` takes mocks from, as far as it can be read."""
    try:
        root = document.read(path, Faults())
        if not isinstance(root, Table) or KEY not in root.entries:
            return ()
        names = read_key(KEY, root.entries[KEY].node)
    except ConfigError:
        return ()
    return tuple(Path(path).parent / name for name in names)
