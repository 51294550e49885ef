"""The configuration in effect, as all processes of a server share it.

It is a file beside the database, replaced as a whole, and a generation number in shared memory that
is advanced after that: a process that sees a new number finds that configuration in the file, or
a newer one.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from llmsim.config import Config
from llmsim.core.state import StoreError
from llmsim.state.shm.segment import Cursor, Lock, Segment

Edit: TypeAlias = Callable[[Config], Config]
"""Makes the next configuration of the one in effect."""


class ConfigStore:
    """One process's access to it. ``config`` is what the server was started with; ``folder`` is the
    server's own, and the same in all its processes."""

    def __init__(self, config: Config, segment: Segment, folder: str) -> None:
        self._config = config
        self._segment = segment
        self._path = Path(folder, "config")
        self._changing = threading.Lock()  # the segment's lock is between processes, not threads

    @property
    def generation(self) -> int:
        """How many times the configuration was changed."""
        return self._segment.reached(Cursor.GENERATION)

    def read(self) -> Config:
        """The configuration of the current generation, or a later one."""
        if not self.generation:
            return self._config
        # Only processes of this server write there, and what they write is a Config.
        config: Config = pickle.loads(self._path.read_bytes())
        return config

    def change(self, edit: Edit) -> tuple[int, Config]:
        """Replace the configuration by what ``edit`` makes of it; one process at a time.

        Gives the new generation and configuration. If ``edit`` raises, nothing has changed; nor if
        the new one cannot be written, which raises StoreError. Not for the event loop: it waits
        for other processes and writes a file.
        """
        with self._changing, self._segment.locked(Lock.CHANGES):
            before = self.read()
            after = edit(before)
            if after != before:
                self._write(after)
                # Only the holder of the lock writes it.
                self._segment.put(Cursor.GENERATION, self.generation + 1)
            return self.generation, after

    def _write(self, config: Config) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(pickle.dumps(config))
            os.replace(fresh, self._path)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            message = f"the configuration cannot be written to {fresh}: {error.strerror}"
            raise StoreError(message) from None
