"""What changes after it was made, such as threads and batches: one small SQLite database that
all workers share.

What is only ever written once belongs in the journal, which costs next to nothing; this here
takes a tenth of a millisecond and a thread, and is meant for what happens now and then.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from llmsim.core.state import Listed, Objects, StoreError
from llmsim.state.launch_folder import new_folder

T = TypeVar("T")

MOST = 10_000
"""Objects of a kind that are kept: the oldest go first."""

SCHEMA = 1
"""The version of what is in the database; a file that has another one is refused."""

FILE = "store.db"

# How many objects of a kind a worker makes between two looks for those that are too many.
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
_GET = "SELECT value FROM objects WHERE kind = ? AND id = ?"
_PUT = """
INSERT INTO objects (kind, id, "group", value) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value, "group" = excluded."group"
"""
_REPLACE = "UPDATE objects SET value = ? WHERE kind = ? AND id = ?"
_TRIM = """
DELETE FROM objects WHERE kind = ? AND number <= (
    SELECT number FROM objects WHERE kind = ? ORDER BY number DESC LIMIT 1 OFFSET ?
) RETURNING id
"""


class Store:
    """One process's way to the database at ``path``: an
    :class:`~llmsim.core.state.ObjectStore`. Values are bytes; what they say is the caller's.

    ``durable`` is for a database that outlives the server: it survives a power failure, too.
    """

    def __init__(self, path: str, most: int = MOST, durable: bool = False) -> None:
        self._path = path
        self._most = most
        self._durable = durable
        self._thread = ThreadPoolExecutor(1, "store")
        self._opened: sqlite3.Connection | None = None
        self._looks: dict[str, int] = {}

    async def put(self, kind: str, id: str, value: bytes, group: str = "") -> None:  # noqa: A002
        """Keep an object; the oldest of its kind beyond ``most`` are forgotten."""

        def work(objects: SQLiteObjects) -> None:
            objects.put(kind, id, value, group)
            objects.trim(kind, self._most)

        await self._do(work)

    async def get(self, kind: str, id: str) -> bytes | None:  # noqa: A002  its name everywhere
        """The object; None if there is none."""
        return await self._do(lambda objects: objects.get(kind, id))

    async def delete(self, kind: str, id: str) -> bool:  # noqa: A002
        """Forget an object; whether there was one."""
        return await self._do(lambda objects: objects.delete(kind, id))

    async def clear(self, kind: str, group: str) -> int:
        """Forget a whole group; how many there were."""
        return await self._do(lambda objects: objects.clear(kind, group))

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
        return await self._do(
            lambda objects: objects.list(
                kind, group, after=after, before=before, limit=limit, newest_first=newest_first
            )
        )

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

        def work(objects: Objects) -> bytes | None:
            value = objects.get(kind, id)
            if value is not None:
                value = change(value)
                objects.replace(kind, id, value)
            return value

        return await self.write(work)

    async def read(self, work: Callable[[Objects], T]) -> T:
        """What ``work`` makes of the objects, as they are at one moment. It changes none."""
        return await self._do(work, "BEGIN")

    async def write(self, work: Callable[[Objects], T]) -> T:
        """The same for work that changes some: nobody else does meanwhile. What it raises is
        raised here, and then nothing has changed."""
        return await self._do(work, "BEGIN IMMEDIATE")

    def close(self) -> None:
        """Let go of the database once everything asked for is done."""
        self._thread.submit(self._close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[SQLiteObjects], T], begin: str = "") -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._done, work, begin)

    def _done(self, work: Callable[[SQLiteObjects], T], begin: str) -> T:
        """What the work gives: as one transaction if there is a statement to ``begin`` one."""
        try:
            database = self._open()
            if not begin:
                return work(SQLiteObjects(database, self._looks))
            database.execute(begin)
            try:
                made = work(SQLiteObjects(database, self._looks))
            except BaseException:
                if database.in_transaction:  # a full disk has ended it
                    database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
            return made
        except sqlite3.Error as error:
            if self._opened is not None and self._opened.in_transaction:
                self._close()
            raise StoreError(f"{self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = sqlite3.connect(self._path, PATIENCE, isolation_level=None)
            # A killed worker loses nothing either way: what it wrote is in the page cache.
            level = "NORMAL" if self._durable else "OFF"
            self._opened.execute(f"PRAGMA synchronous = {level}")
        return self._opened

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class SQLiteObjects:
    """:class:`~llmsim.core.state.Objects` of one connection."""

    __slots__ = ("_database", "_looks")

    def __init__(self, database: sqlite3.Connection, looks: dict[str, int]) -> None:
        self._database = database
        self._looks = looks

    def get(self, kind: str, id: str) -> bytes | None:  # noqa: A002
        """The object; None if there is none."""
        row = self._database.execute(_GET, (kind, id)).fetchone()
        return None if row is None else row[0]

    def put(self, kind: str, id: str, value: bytes, group: str = "") -> None:  # noqa: A002
        """Keep an object. One that replaces another takes its place in the order."""
        self._database.execute(_PUT, (kind, id, group, value))

    def replace(self, kind: str, id: str, value: bytes) -> None:  # noqa: A002
        """Put another value in an object's place."""
        self._database.execute(_REPLACE, (value, kind, id))

    def delete(self, kind: str, id: str) -> bool:  # noqa: A002
        """Forget an object; whether there was one."""
        statement = "DELETE FROM objects WHERE kind = ? AND id = ?"
        return self._database.execute(statement, (kind, id)).rowcount > 0

    def clear(self, kind: str, group: str) -> int:
        """Forget a whole group; how many there were."""
        statement = 'DELETE FROM objects WHERE kind = ? AND "group" = ?'
        return self._database.execute(statement, (kind, group)).rowcount

    def count(self, kind: str, group: str) -> int:
        """How many objects a group has."""
        statement = 'SELECT COUNT(*) FROM objects WHERE kind = ? AND "group" = ?'
        number: int = self._database.execute(statement, (kind, group)).fetchone()[0]
        return number

    def trim(self, kind: str, most: int) -> list[str]:
        """Forget the oldest of a kind beyond ``most``; their ids. It looks now and then only."""
        look = self._looks.get(kind, 0)
        self._looks[kind] = look + 1
        if look % min(SLACK, most):
            return []
        return [id_ for (id_,) in self._database.execute(_TRIM, (kind, kind, most)).fetchall()]

    def list(
        self,
        kind: str,
        group: str = "",
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        newest_first: bool = True,
    ) -> Listed:
        """At most ``limit`` ids and objects of a group, in the order in which they were made."""
        past, until = (after, before) if not newest_first else (before, after)
        where = 'kind = ? AND "group" = ?'
        values: list[str | int] = [kind, group]
        for bound, side in ((past, ">"), (until, "<")):
            if bound is not None:
                where += f" AND number {side} ?"
                values.append(self._number(kind, bound))
        order = "DESC" if newest_first else "ASC"
        statement = f"SELECT id, value FROM objects WHERE {where} ORDER BY number {order} LIMIT ?"
        rows: Listed = self._database.execute(statement, (*values, limit)).fetchall()
        return rows

    def _number(self, kind: str, name: str) -> int:
        statement = "SELECT number FROM objects WHERE kind = ? AND id = ?"
        row = self._database.execute(statement, (kind, name)).fetchone()
        if row is None:
            raise LookupError(name)
        number: int = row[0]
        return number


def prepare(path: str) -> None:
    """Make the database at ``path`` if there is none. Raises StoreError for a file that cannot be
    one, or that another version of llmsim has made."""
    try:
        database = sqlite3.connect(path, PATIENCE, isolation_level=None)
        try:
            made: int = database.execute("PRAGMA user_version").fetchone()[0]
            if made not in (0, SCHEMA):
                message = f"{path}: has version {made} of the store's schema, not {SCHEMA}"
                raise StoreError(message)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(_TABLE)
            database.execute(_INDEX)
            database.execute(f"PRAGMA user_version = {SCHEMA}")
        finally:
            database.close()
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error


@contextmanager
def new_store() -> Iterator[str]:
    """The path of a new, empty database in a folder of its own, removed in the end."""
    with new_folder() as folder:
        path = str(Path(folder, FILE))
        prepare(path)
        yield path
