"""The folder of one launch: files that its processes share, and that nobody needs afterwards.

Every process of the launch holds a lock on a file in it, which the kernel lets go of when the
process ends, however it ends. A folder that nobody holds belongs to a launch that was killed. It is
removed by the last worker to end, or else by the next launch. What is in it may be secret.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows: the container is the way there
    fcntl = None  # type: ignore[assignment]

PREFIX: Final = "llmsim-"
LOCK: Final = "lock"
PAUSE: Final = 0.02

log = logging.getLogger("llmsim")

# Folder to the process that made it and its descriptor, of which a forked worker has a copy.
_made: dict[str, tuple[int, int]] = {}


@contextmanager
def new_folder() -> Iterator[str]:
    """A folder for the files of one launch, removed in the end; before, those of launches that were
    killed. Raises OSError where no folder can be made."""
    parent = tempfile.gettempdir()
    _remove_abandoned(parent)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
    try:
        # Others see the file only once it is held.
        unnamed = Path(folder, f"{LOCK}.new")
        descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            os.replace(unnamed, Path(folder, LOCK))
            _made[folder] = os.getpid(), descriptor
            yield folder
        finally:
            _made.pop(folder, None)
            os.close(descriptor)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def hold(folder: str) -> int:
    """Hold the folder for this process, a worker of the launch that made it; gives the descriptor
    for :func:`leave`."""
    descriptor = os.open(Path(folder, LOCK), os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    maker, copy = _made.get(folder, (0, -1))
    if maker not in (0, os.getpid()):
        del _made[folder]
        os.close(copy)
    return descriptor


def leave(folder: str, descriptor: int, patience: float = 0.0) -> None:
    """Hold it no longer, and remove it if nobody does: the launcher and all workers have gone.

    Others may be about to end: for so many seconds they are waited for.
    """
    deadline = time.monotonic() + patience
    while not _remove_unheld(folder, descriptor) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    os.close(descriptor)


def _remove_abandoned(parent: str) -> None:
    """Remove this user's folders of launches of which no process is left."""
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and _is_ours(entry):
                with suppress(OSError):  # without a lock it is none, or just being made
                    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
                    descriptor = os.open(Path(entry.path, LOCK), flags)
                    try:
                        if _remove_unheld(entry.path, descriptor):
                            log.warning("removed %s: its server was killed", entry.path)
                    finally:
                        os.close(descriptor)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    try:
        owner = entry.stat(follow_symlinks=False).st_uid
        return entry.is_dir(follow_symlinks=False) and owner == os.getuid()
    except OSError:
        return False


def _remove_unheld(folder: str, descriptor: int) -> bool:
    """Let go of the lock, and remove the folder if no other process holds it; whether it did."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # that lets go of a lock that was held, too
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
