"""``llmsim serve --watch``: a configuration that changes on disk is taken as at SIGHUP.

Made for files that something else writes: an editor, a deployment, a ConfigMap that Kubernetes
mounts. There the file is a link, and a change is a link that points elsewhere, so what counts is
the file at its end.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

State: TypeAlias = tuple[tuple[str, int, int, int], ...]


class ConfigWatch:
    """Calls ``reload`` when one of ``files()`` is another than before.

    Only once it has stayed the same from one look to the next: a file is often seen half written.
    While one is missing nothing is done, what is in effect stays.
    """

    def __init__(self, files: Callable[[], Iterable[Path]], reload: Callable[[], None]) -> None:
        self._files = files
        self._reload = reload
        self._loaded = self._last = self._state()

    def look(self, _now: float) -> None:
        """Look once."""
        state = self._state()
        if state is not None and state != self._loaded and state == self._last:
            self._loaded = state
            self._reload()
        self._last = state

    def _state(self) -> State | None:
        """What tells one version of the files from another; None while one is missing."""
        try:
            return tuple(_version(path) for path in self._files())
        except OSError:
            return None


def reload_by_signal() -> None:
    """Ask this process, the launcher, for a reload."""
    os.kill(os.getpid(), signal.SIGHUP)


def _version(path: Path) -> tuple[str, int, int, int]:
    found = path.stat()
    return str(path.resolve()), found.st_ino, found.st_mtime_ns, found.st_size
