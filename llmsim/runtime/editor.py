"""What can be changed while the server runs, and undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import orjson

from llmsim.config import Config, change, document, plain
from llmsim.config.document import Entry, Faults, Items, Node, Place, Scalar, Table, wrong
from llmsim.core.errors import ConfigError
from llmsim.pipeline.steps import faults as steps_faults
from llmsim.runtime.holder import ConfigHolder
from llmsim.state.shared_state import SharedState
from llmsim.state.shm.segment import Cursor

Reread: TypeAlias = Callable[[], Config]
"""Reads again what the server was started with. Raises ConfigError."""

LARGEST = 4 * 2**20
"""Bytes of a change. Reading YAML takes seconds for each of them a million."""


class Reload:
    """The change that takes everything changeable from the file again.

    Once it was applied, ``needs_restart`` names the sections that differ in the file and cannot
    change while the server runs.
    """

    def __init__(self, reread: Reread) -> None:
        self._reread = reread
        self.needs_restart: tuple[str, ...] = ()

    def __call__(self, config: Config) -> Config:
        after, self.needs_restart = change.reloaded(config, self._reread())
        return after


class ConfigEditor:
    """Changes of the configuration in effect, for all workers. All raise ConfigError for a change
    that is faulty, and then nothing has changed."""

    def __init__(self, holder: ConfigHolder, shared: SharedState, reread: Reread) -> None:
        self._holder = holder
        self._shared = shared
        self._reread = reread

    def whole(self) -> Mapping[str, object]:
        """The configuration in effect."""
        return change.told(self._holder.runtime.config)

    def section(self, name: str) -> object:
        """A section in effect."""
        return self.whole().get(name)

    async def patch(self, name: str, node: Callable[[], Node]) -> None:
        """Apply a merge patch to one section."""
        await self._holder.change(lambda config: change.patched(config, name, node()))

    async def replace(self, name: str, node: Callable[[], Node]) -> None:
        """Put another section in a section's place."""
        await self._holder.change(lambda config: change.replaced(config, name, node()))

    async def patch_whole(self, node: Callable[[], Node], whole: bool) -> None:
        """Patch several sections; with ``whole``, replace each that is given."""
        await self._holder.change(lambda config: change.patched_whole(config, node(), whole))

    async def insert(self, name: str, node: Callable[[], Node]) -> None:
        """Put one entry at the top of a section that is a list."""

        def inserted(config: Config) -> Config:
            new = node()
            return change.replaced(config, name, _items(config, name, new.place, first=new))

        await self._holder.change(inserted)

    async def remove(self, name: str, entry: str, place: Place) -> None:
        """Take the entries of that name out of a section that is a list."""

        def removed(config: Config) -> Config:
            before = _items(config, name, place)
            left = tuple(node for node in before.nodes if _name(node) != entry)
            if len(left) == len(before.nodes):
                raise wrong(place, name, f"there is none with the name {entry!r}")
            return change.replaced(config, name, Items(place, left))

        await self._holder.change(removed)

    async def reload(self) -> tuple[str, ...]:
        """Take what can change from the file again; the names of sections that have changed in
        the file and cannot change here."""
        reload = Reload(self._reread)
        await self._holder.change(reload)
        return reload.needs_restart

    def reset(self) -> None:
        """Count from nothing again whatever decides about requests. Statistics go on."""
        self._shared.named_counters.reset()
        self._shared.buckets.reset()
        for cursor in (Cursor.TURN, Cursor.DRAWN):
            self._shared.segment.put(cursor, 0)

    def restart_timetable(self) -> None:
        """The timetable begins now."""
        steps_faults.restart(self._shared.segment)


def node(body: bytes, yaml: bool, where: str) -> Node:
    """The tree of a change as it was sent. Raises ConfigError."""
    place = Place(where)
    if len(body) > LARGEST:
        raise wrong(place, "", f"larger than the {LARGEST} bytes allowed")
    if not yaml:
        try:
            return plain.tree(orjson.loads(body), place)
        except orjson.JSONDecodeError as error:
            raise wrong(place, "", f"not valid JSON: {error}") from None
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(place, "", f"not text in UTF-8 ({error.reason})") from None
    faults = Faults()
    tree = document.parsed(text, where, faults)
    faults.settle()
    return tree


def _items(config: Config, name: str, place: Place, first: Node | None = None) -> Items:
    """A list's entries as a tree, with one more before them."""
    before = plain.tree(change.section(config, name) or (), place, name)
    nodes = before.nodes if isinstance(before, Items) else ()
    return Items(place, nodes if first is None else (first, *nodes))


def _name(node: Node) -> str | None:
    entry: Entry | None = node.entries.get("name") if isinstance(node, Table) else None
    return entry.node.text if entry is not None and isinstance(entry.node, Scalar) else None


def faults(error: ConfigError) -> Iterator[dict[str, object]]:
    """Each fault as JSON."""
    for fault in error.faults:
        yield {"key": fault.key, "line": fault.line, "message": fault.message}
