"""What changes after it was made, such as threads and batches: one small SQLite database that
all workers share.

What is only ever written once belongs in the journal, which costs next to nothing; this here
takes a tenth of a millisecond and a thread, and is meant for what happens now and then.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Listed: TypeAlias = list[tuple[str, bytes]]
"""Ids and objects."""

MOST = 10_000
"""Objects of a kind that are kept: the oldest go first."""

# How many objects are made between two looks for those that are too many.
SLACK = 64
# Seconds a worker waits for another one that writes.
PATIENCE = 10.0

_TABLE = """
CREATE TABLE IF NOT EXISTS objects (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    "group" TEXT NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (kind, id)
)
"""
_INDEX = 'CREATE INDEX IF NOT EXISTS in_order ON objects (kind, "group", number)'
_PUT = """
INSERT INTO objects (kind, id, "group", value) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value, "group" = excluded."group"
"""
_TRIM = """
DELETE FROM objects WHERE kind = ? AND number <= (
    SELECT number FROM objects WHERE kind = ? ORDER BY number DESC LIMIT 1 OFFSET ?
)
"""


class Store:
    """One process's way to the database at ``path``. Values are bytes; what they say is the
    caller's.

    ``kind`` names what sort of object it is ("thread"), ``id`` is unique within its kind, and
    ``group`` is what it is listed under (the thread of a message), "" where a kind has one list.
    Nothing here runs on the event loop, and nothing survives the launch.
    """

    def __init__(self, path: str, most: int = MOST) -> None:
        self._path = path
        self._most = most
        self._thread = ThreadPoolExecutor(1, "store")
        self._opened: sqlite3.Connection | None = None

    async def put(self, kind: str, id: str, value: bytes, group: str = "") -> None:  # noqa: A002
        """Keep an object. One that replaces another takes its place in the order."""
        await self._do(lambda: self._put(kind, id, value, group))

    async def get(self, kind: str, id: str) -> bytes | None:  # noqa: A002  its name everywhere
        """The object; None if there is none."""
        return await self._do(lambda: self._get(kind, id))

    async def delete(self, kind: str, id: str) -> bool:  # noqa: A002
        """Forget an object; whether there was one."""
        statement = "DELETE FROM objects WHERE kind = ? AND id = ?"
        return await self._do(lambda: self._open().execute(statement, (kind, id)).rowcount > 0)

    async def clear(self, kind: str, group: str) -> int:
        """Forget a whole group; how many there were."""
        statement = 'DELETE FROM objects WHERE kind = ? AND "group" = ?'
        return await self._do(lambda: self._open().execute(statement, (kind, group)).rowcount)

    async def list(
        self,
        kind: str,
        group: str = "",
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        newest_first: bool = True,
    ) -> Listed:
        """At most ``limit`` ids and objects of a group, in the order in which they were made.

        ``after`` and ``before`` name objects between which, in that order, the listed ones are.
        Raises LookupError for one that is not there.
        """
        return await self._do(lambda: self._list(kind, group, after, before, limit, newest_first))

    async def update(
        self,
        kind: str,
        id: str,  # noqa: A002
        change: Callable[[bytes], bytes],
    ) -> bytes | None:
        """Put what ``change`` makes of an object in its place; None if there is none.

        No other worker reads or writes in between. What ``change`` raises is raised here, and
        the object stays as it was.
        """
        return await self._do(lambda: self._update(kind, id, change))

    def close(self) -> None:
        """Let go of the database once everything asked for is done."""
        self._thread.submit(self._close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = sqlite3.connect(self._path, PATIENCE, isolation_level=None)
            # A killed worker loses nothing: what it wrote is in the page cache.
            self._opened.execute("PRAGMA synchronous = OFF")
        return self._opened

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _put(self, kind: str, name: str, value: bytes, group: str) -> None:
        made = self._open().execute(_PUT, (kind, name, group, value)).lastrowid or 0
        if made % min(SLACK, self._most) == 0:
            self._open().execute(_TRIM, (kind, kind, self._most))

    def _get(self, kind: str, name: str) -> bytes | None:
        statement = "SELECT value FROM objects WHERE kind = ? AND id = ?"
        row = self._open().execute(statement, (kind, name)).fetchone()
        return None if row is None else row[0]

    def _list(
        self,
        kind: str,
        group: str,
        after: str | None,
        before: str | None,
        limit: int,
        newest_first: bool,
    ) -> Listed:
        past, until = (after, before) if not newest_first else (before, after)
        where = 'kind = ? AND "group" = ?'
        values: list[str | int] = [kind, group]
        for bound, side in ((past, ">"), (until, "<")):
            if bound is not None:
                where += f" AND number {side} ?"
                values.append(self._number(kind, bound))
        order = "DESC" if newest_first else "ASC"
        statement = f"SELECT id, value FROM objects WHERE {where} ORDER BY number {order} LIMIT ?"
        rows: Listed = self._open().execute(statement, (*values, limit)).fetchall()
        return rows

    def _number(self, kind: str, name: str) -> int:
        statement = "SELECT number FROM objects WHERE kind = ? AND id = ?"
        row = self._open().execute(statement, (kind, name)).fetchone()
        if row is None:
            raise LookupError(name)
        number: int = row[0]
        return number

    def _update(self, kind: str, name: str, change: Callable[[bytes], bytes]) -> bytes | None:
        database = self._open()
        database.execute("BEGIN IMMEDIATE")
        try:
            value = self._get(kind, name)
            if value is not None:
                value = change(value)
                statement = "UPDATE objects SET value = ? WHERE kind = ? AND id = ?"
                database.execute(statement, (value, kind, name))
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
        return value


@contextmanager
def new_store() -> Iterator[str]:
    """The path of a new, empty database in a directory of its own, removed in the end."""
    directory = tempfile.mkdtemp(prefix="llmsim-")
    try:
        path = str(Path(directory, "store.db"))
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(_TABLE)
        database.execute(_INDEX)
        database.close()
        yield path
    finally:
        shutil.rmtree(directory, ignore_errors=True)
