"""What all workers know of each scope: a file in the folder of the launch, which goes with it.

Workers see a change at once: for each request in a scope they look whether its file is the one that
they have read, by its time of modification, which no two versions share. The time of access is the
one of the last use, to within a second.
"""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from llmsim.core.scopes import label
from llmsim.core.state import StoreError
from llmsim.state.shm.segment import Lock, Segment

FOLDER: Final = "scopes"


@dataclass(frozen=True, slots=True)
class ScopeRecord:
    """A scope. ``sections`` are those of its configuration that are not the server's.

    ``epoch`` is in the names of all that is counted, and ``limits`` in those of rate limits: a new
    one counts from nothing. ``journal`` is in the label that its requests have, and its statistics
    have those that arrived after ``stats``; these are Unix times in nanoseconds. ``began`` is when
    its timetable did, in seconds of the monotonic clock.
    """

    name: str
    epoch: int
    journal: int
    began: float
    sections: Mapping[str, Any] = field(default_factory=dict)
    limits: int = 0
    stats: int = 0

    @property
    def label(self) -> str:
        """What its requests have in the journal."""
        return label(self.name, self.journal)

    def fresh(self) -> ScopeRecord:
        """The scope with all counts at nothing."""
        now = time.time_ns()
        return replace(self, epoch=now, limits=now, began=time.monotonic())

    def reset(self, parts: Container[str]) -> ScopeRecord:
        """The scope with these at nothing: ``journal``, ``counters``, ``limits``, ``stats``."""
        now = time.time_ns()
        return replace(
            self,
            journal=now if "journal" in parts else self.journal,
            epoch=now if "counters" in parts else self.epoch,
            limits=now if "limits" in parts else self.limits,
            stats=now if "stats" in parts else self.stats,
        )

    def restarted(self) -> ScopeRecord:
        """The scope with a timetable that begins now."""
        return replace(self, began=time.monotonic())


class ScopeStore:
    """One process's access to the scopes. Of more than ``most`` the one that was not used for
    longest is forgotten."""

    def __init__(self, segment: Segment, folder: str, most: int) -> None:
        self._segment = segment
        self._folder = Path(folder, FOLDER)
        self._folder.mkdir(exist_ok=True)
        self._most = most
        self._changing = threading.Lock()  # the segment's lock is between processes, not threads

    def version(self, name: str) -> int:
        """Which version of the scope is in effect; 0 if there is none."""
        try:
            return os.stat(self._path(name)).st_mtime_ns
        except OSError:
            return 0

    def used(self, name: str, version: int) -> None:
        """The scope is in use now."""
        # A file that another process puts in its place meanwhile keeps its own time.
        with suppress(OSError), self._path(name).open("rb") as file:
            if os.fstat(file.fileno()).st_mtime_ns == version:
                os.utime(file.fileno(), ns=(time.time_ns(), version))

    def opened(self, name: str) -> tuple[int, ScopeRecord]:
        """The scope and its version; one that does not exist yet begins."""
        return self._read(name) or self.change(name, lambda record: record)

    def change(
        self, name: str, edit: Callable[[ScopeRecord], ScopeRecord]
    ) -> tuple[int, ScopeRecord]:
        """Replace the scope by what ``edit`` makes of it, one process at a time. If that raises,
        nothing has changed. Raises StoreError where it cannot be written."""
        with self._changing, self._segment.locked(Lock.CHANGES):
            found = self._read(name)
            now = time.time_ns()
            fresh = ScopeRecord(name, now, now, time.monotonic(), limits=now)
            before = fresh if found is None else found[1]
            after = edit(before)
            if found is not None and after == before:
                return found
            if found is None:
                self._make_room()
            return self._write(after, 0 if found is None else found[0]), after

    def forget(self, name: str) -> bool:
        """Forget the scope; whether there was one."""
        with self._changing, self._segment.locked(Lock.CHANGES):
            try:
                self._path(name).unlink()
            except FileNotFoundError:
                return False
            return True

    def names(self) -> dict[str, float]:
        """Every scope, with the Unix time of its last use."""
        found = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.name.startswith("="):
                        found[entry.name[1:]] = entry.stat().st_atime
        return found

    def _path(self, name: str) -> Path:
        return self._folder / f"={name}"  # "." and ".." are names of scopes, too

    def _read(self, name: str) -> tuple[int, ScopeRecord] | None:
        try:
            with self._path(name).open("rb") as file:
                version = os.fstat(file.fileno()).st_mtime_ns
                # Only processes of this server write there, and what they write is a ScopeRecord.
                record: ScopeRecord = pickle.load(file)
        except FileNotFoundError:
            return None
        return version, record

    def _write(self, record: ScopeRecord, before: int) -> int:
        path = self._path(record.name)
        fresh = self._folder / f"+{record.name}"
        now = max(time.time_ns(), before + 1)
        try:
            fresh.write_bytes(pickle.dumps(record))
            os.utime(fresh, ns=(now, now))
            os.replace(fresh, path)
        except OSError as error:
            message = f"the scope {record.name} cannot be written to {fresh}: {error.strerror}"
            raise StoreError(message) from None
        return self.version(record.name)

    def _make_room(self) -> None:
        names = self.names()
        for name in sorted(names, key=names.__getitem__)[: max(len(names) + 1 - self._most, 0)]:
            self._path(name).unlink(missing_ok=True)
