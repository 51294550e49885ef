"""A configuration made of another one while the server runs: sections patched or replaced.

A change is read as the file is, so its faults have the same messages. What a
process is built from when it starts cannot be changed: setting it to what it is already is fine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Final

from llmsim.config import Config
from llmsim.config.nodes import Entry, Faults, Node, Place, Table, is_null, shown, tree, wrong
from llmsim.config.reader import read_key
from llmsim.config.schema.latency import ALIASES
from llmsim.config.schema.section import plain
from llmsim.core.spelling import did_you_mean

CHANGEABLE: Final = (
    "latency",
    "response",
    "thinking",
    "errors",
    "timetable",
    "rate_limits",
    "concurrency",
    "keys",
    "mocks",
    "scripts",
    "on_miss",
    "models",
    "seed",
    "scenario",
)
"""The sections a change can reach."""


def sections() -> tuple[str, ...]:
    """The names of all sections."""
    return tuple(field.name for field in fields(Config))


def section(config: Config, name: str) -> object:
    """A section as plain values; None where it is empty."""
    value = getattr(config, name)
    return None if value is None or value == () else plain(value)


def patched(config: Config, name: str, patch: Node) -> Config:
    """The configuration with a merge patch (RFC 7396) applied to one section.

    Raises ConfigError.
    """
    place = Place("in effect")
    before = tree(section(config, name), place, name)
    return replaced(config, name, _merged(before, _renamed(patch) if name == "latency" else patch))


def replaced(config: Config, name: str, node: Node) -> Config:
    """The configuration with one section as ``node`` says; null is its default.

    Raises ConfigError.
    """
    value = getattr(Config(), name) if is_null(node) else read_key(name, node)
    if value == getattr(config, name):
        return config
    if name not in CHANGEABLE:
        raise wrong(node.place, name, "cannot be changed while the server runs")
    return replace(config, **{name: value})


def patched_whole(config: Config, patch: Node, whole: bool = False) -> Config:
    """The configuration with several sections patched; with ``whole`` each section that is given
    replaces the one in effect. Raises ConfigError with all their faults.
    """
    if not isinstance(patch, Table):
        raise wrong(patch.place, "", f"must be a mapping of sections, not {shown(patch)}")
    faults = Faults()
    for name, entry in patch.entries.items():
        with faults.caught():
            known(name, entry.place)
            config = (replaced if whole else patched)(config, name, entry.node)
    faults.settle()
    return config


def known(name: str, place: Place) -> None:
    """Raises ConfigError for what is no section."""
    names = sections()
    if name not in names:
        message = f"unknown key{did_you_mean(name, names)}; valid are {', '.join(names)}"
        raise wrong(place, name, message)


def reloaded(config: Config, fresh: Config) -> tuple[Config, tuple[str, ...]]:
    """The configuration with all that can change taken from ``fresh``, and the names of other
    sections that differ in it: those take effect when the server is started anew."""
    differ = [name for name in sections() if getattr(config, name) != getattr(fresh, name)]
    new = {name: getattr(fresh, name) for name in differ if name in CHANGEABLE}
    return replace(config, **new), tuple(name for name in differ if name not in CHANGEABLE)


def _renamed(patch: Node) -> Node:
    """A patch of latencies with the names that keys are written with, so that it replaces what is
    in effect. One that has both names of a key keeps both, which is a mistake."""
    if not isinstance(patch, Table):
        return patch
    entries: dict[str, Entry] = {}
    for name, entry in patch.entries.items():
        present = ALIASES.get(name, name)
        key = name if present in patch.entries else present
        entries[key] = Entry(entry.place, _renamed(entry.node))
    return Table(patch.place, entries)


def _merged(before: Node, patch: Node) -> Node:
    if not isinstance(patch, Table):
        return patch
    entries: dict[str, Entry] = dict(before.entries) if isinstance(before, Table) else {}
    nothing = Table(patch.place, {})
    for name, entry in patch.entries.items():
        if is_null(entry.node):
            entries.pop(name, None)
        else:
            old = entries[name].node if name in entries else nothing
            entries[name] = Entry(entry.place, _merged(old, entry.node))
    return Table(patch.place, entries)


def public(config: Config) -> Mapping[str, object]:
    """The configuration as its readers are shown it: without the token and the API keys."""
    every = {name: section(config, name) for name in sections() if name != "keys"}
    control = every["control"]
    assert isinstance(control, dict)
    every["control"] = {key: value for key, value in control.items() if key != "token"}
    return {name: value for name, value in every.items() if value is not None}
