"""Edits of the configuration in effect: patch, replace, insert, remove, reload, reset."""

from __future__ import annotations

import asyncio
from asyncio import to_thread
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeAlias

import orjson

from llmsim.config import Config, change, document
from llmsim.config.nodes import Entry, Faults, Items, Node, Place, Scalar, Table, tree, wrong
from llmsim.core.errors import ConfigError
from llmsim.runtime.holder import ConfigHolder
from llmsim.runtime.store import Edit
from llmsim.state.shared_state import SharedState

Reread: TypeAlias = Callable[[], Config]
"""Reads the configuration the server was started with once more. Raises ConfigError."""

MAX_BYTES = 4 * 2**20
"""The largest change that is read: YAML takes seconds for each million bytes."""


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


class EditTarget(Protocol):
    """What is edited: the whole server, or one scope of it."""

    @property
    def config(self) -> Config:
        """The configuration in effect."""
        ...

    async def change(self, edit: Edit) -> Config:
        """Change it for all workers; if ``edit`` raises, nothing has changed."""
        ...

    async def reset(self) -> None:
        """Count from nothing again whatever decides about requests."""
        ...

    async def restart_timetable(self) -> None:
        """Let the timetable of failures begin now."""
        ...


class WholeServer:
    """The server as what is edited."""

    def __init__(self, holder: ConfigHolder, shared: SharedState) -> None:
        self._holder = holder
        self._shared = shared
        self.change = holder.change

    @property
    def config(self) -> Config:
        """The configuration in effect in this worker."""
        return self._holder.runtime.config

    async def reset(self) -> None:
        """Statistics go on."""
        for _ in self._shared.reset():
            await asyncio.sleep(0)

    async def restart_timetable(self) -> None:
        """In all workers."""
        self._shared.restart_timetable()


class ConfigEditor:
    """Changes the configuration in effect, for all workers.

    Every change raises ConfigError if it has faults, and then nothing has changed. Nodes come as
    functions that parse them: parsing is slow and happens off the event loop, where it may raise
    ConfigError, too, and before anyone else who changes something has to wait.
    """

    def __init__(self, target: EditTarget, reread: Reread) -> None:
        self._target = target
        self._reread = reread

    def document(self) -> Mapping[str, object]:
        """The configuration in effect, without secrets."""
        return change.public(self._target.config)

    def section(self, name: str) -> object:
        """A section of the configuration in effect; None if it is empty."""
        return self.document().get(name)

    async def patch(self, name: str, node: Callable[[], Node]) -> None:
        """Apply a merge patch (RFC 7396) to one section."""
        wanted = await to_thread(node)
        await self._target.change(lambda config: change.patched(config, name, wanted))

    async def replace(self, name: str, node: Callable[[], Node]) -> None:
        """Replace one section; null is its default."""
        wanted = await to_thread(node)
        await self._target.change(lambda config: change.replaced(config, name, wanted))

    async def patch_all(self, node: Callable[[], Node], whole: bool) -> None:
        """Patch each section in the node; with ``whole``, replace each of them."""
        wanted = await to_thread(node)
        await self._target.change(lambda config: change.patched_whole(config, wanted, whole))

    async def insert(self, name: str, node: Callable[[], Node]) -> None:
        """Insert an entry at the top of a section that is a list."""
        new = await to_thread(node)

        def inserted(config: Config) -> Config:
            return change.replaced(config, name, _items(config, name, new.place, first=new))

        await self._target.change(inserted)

    async def remove(self, name: str, entry: str, place: Place) -> None:
        """Remove the entry with that name from a section that is a list."""

        def removed(config: Config) -> Config:
            before = _items(config, name, place)
            others = tuple(node for node in before.nodes if _name(node) != entry)
            if len(others) == len(before.nodes):
                raise wrong(place, name, f"no entry has the name {entry!r}")
            return change.replaced(config, name, Items(place, others))

        await self._target.change(removed)

    async def reload(self) -> tuple[str, ...]:
        """Take everything changeable from the file again; gives the names of sections that differ
        in the file and take effect at the next start."""
        reload = Reload(self._reread)
        await self._target.change(reload)
        return reload.needs_restart

    async def reset(self) -> None:
        """Start over with everything that decides about later requests: counters of failures and
        mocks, rate limits, turns of texts and random draws. Statistics go on."""
        await self._target.reset()

    async def restart_timetable(self) -> None:
        """Let the timetable of failures begin now."""
        await self._target.restart_timetable()


def parsed(body: bytes, yaml: bool, where: str) -> Node:
    """The node in a request body; ``where`` names the request in faults. Raises ConfigError."""
    place = Place(where)
    if len(body) > MAX_BYTES:
        raise wrong(place, "", f"the body is larger than the {MAX_BYTES} bytes allowed")
    if not yaml:
        try:
            return tree(orjson.loads(body), place)
        except orjson.JSONDecodeError as error:
            raise wrong(place, "", f"the body is not valid JSON: {error}") from None
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(place, "", f"the body is not text in UTF-8 ({error.reason})") from None
    faults = Faults()
    root = document.parsed(text, where, faults)
    faults.settle()
    return root


def _items(config: Config, name: str, place: Place, first: Node | None = None) -> Items:
    """The entries of a section that is a list, after ``first`` if there is one."""
    before = tree(change.section(config, name) or (), place, name)
    nodes = before.nodes if isinstance(before, Items) else ()
    return Items(place, nodes if first is None else (first, *nodes))


def _name(node: Node) -> str | None:
    entry: Entry | None = node.entries.get("name") if isinstance(node, Table) else None
    return entry.node.text if entry is not None and isinstance(entry.node, Scalar) else None


def faults_as_json(error: ConfigError) -> Iterator[dict[str, object]]:
    """Each fault of an error with its key, line (None outside files) and message."""
    for fault in error.faults:
        yield {"key": fault.key, "line": fault.line, "message": fault.message}
