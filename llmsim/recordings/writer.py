"""Recordings, written: every process appends to a file of its own in the folder.

    2026-11-30-box-4711.1.jsonl         being written, by the process 4711 of the machine "box"
    2026-11-30-box-4711.0.jsonl.zst     rotated

A file is begun for each day (UTC) and when the last one has become large. Files are created and
never opened again, so two servers in one folder do not meet. A recording is one write of one line:
what was complete is there when the process is killed, and where the disk is full, what was written
of a line is taken back.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from llmsim.recordings.folder import COMPRESSED, PLAIN
from llmsim.recordings.lines import to_line
from llmsim.recordings.recording import Recording

RETRY: Final = 10.0
"""Seconds until writing is tried again after it has failed."""

MAX_FILE: Final = 256 * 1024 * 1024
"""Bytes from which a file is rotated."""

log = logging.getLogger("llmsim")


class RecordingWriter:
    """Appends recordings to a folder, for one process. Not for several threads at a time.

    ``max_file`` is how large a file may become and ``max_size`` how large all files of the folder
    may be together, in bytes (None: no bound): the oldest rotated ones are removed then.
    ``written`` and ``lost`` count recordings, ``bytes`` what was written before it is compressed.
    ``problem`` says why none are written now, "" if they are, and ``error`` is its number. Raises
    ModuleNotFoundError where the package is missing that compresses.
    """

    def __init__(
        self,
        folder: Path,
        max_file: int = MAX_FILE,
        max_size: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        import zstandard  # noqa: F401, PLC0415  missed here, and not when a file is rotated

        self._folder = folder
        self._max_file = max_file
        self._max_size = max_size
        self._clock = clock
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._number = 0
        self._day = ""
        self._file: Path | None = None
        self._descriptor = -1
        self._size = 0
        self._retry_at = 0.0
        self.written = 0
        self.lost = self.bytes = self.error = 0
        self.problem = ""

    def write(self, recording: Recording) -> bool:
        """Append a recording; False, with ``problem`` set and a line in the log, where the folder
        takes none. Never raises OSError."""
        now = self._clock()
        if self.problem and now < self._retry_at:
            self.lost += 1
            return False
        try:
            self._append(to_line(recording), now)
        except OSError as error:
            self._failed(error, now)
            return False
        if self.problem:
            log.warning("recording goes on in %s: %d were lost", self._folder, self.lost)
            self.problem, self.error = "", 0
        self.written += 1
        return True

    def close(self) -> None:
        """End the file that is being written, compressed."""
        try:
            self._rotate()
        except OSError as error:
            log.error("could not compress a file of recordings: %s", error)

    def _append(self, line: bytes, now: float) -> None:
        day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
        if self._descriptor >= 0 and (day != self._day or self._size >= self._max_file):
            self._rotate()
        if self._descriptor < 0:
            self._begin(day)
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):  # the next try says why it took no more
                written += os.write(self._descriptor, line[written:])
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise
        self._size += len(line)
        self.bytes += len(line)

    def _begin(self, day: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        while True:
            stem = f"{day}-{self._name}.{self._number}"
            self._number += 1
            file = self._folder / (stem + PLAIN)
            if (self._folder / (stem + COMPRESSED)).exists():
                continue
            try:
                # Whoever can read a recording reads prompts.
                self._descriptor = os.open(file, flags, 0o600)
            except FileExistsError:  # of a process that had the same number before
                continue
            self._file, self._day, self._size = file, day, 0
            return

    def _rotate(self) -> None:
        if self._descriptor < 0:
            return
        os.close(self._descriptor)
        self._descriptor = -1
        file, self._file = self._file, None
        assert file is not None
        compress(file)
        if self._max_size is not None:
            trim(self._folder, self._max_size)

    def _failed(self, error: OSError, now: float) -> None:
        self.lost += 1
        self._retry_at = now + RETRY
        problem = f"{error.strerror or error}: {self._folder}"
        if problem != self.problem:
            log.error("nothing is recorded, serving goes on: %s", problem)
        self.problem, self.error = problem, error.errno or errno.EIO


def compress(file: Path) -> None:
    """Put a ``.jsonl.zst`` in the place of a ``.jsonl``; one without a line is removed. Raises
    OSError, with the file as it was."""
    if not file.stat().st_size:
        file.unlink()
        return
    import zstandard  # noqa: PLC0415  an extra of those who record

    target = file.with_name(file.name.removesuffix(PLAIN) + COMPRESSED)
    unfinished = target.with_name(target.name + ".part")
    try:
        with file.open("rb") as source, unfinished.open("xb") as sink:
            os.fchmod(sink.fileno(), 0o600)
            zstandard.ZstdCompressor(level=3).copy_stream(source, sink)
            sink.flush()
            os.fsync(sink.fileno())
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    file.unlink()


def trim(folder: Path, most: int) -> None:
    """Remove the oldest compressed files until all files of the folder have at most ``most``
    bytes, or none is left to remove."""
    found = [
        (one, one.stat()) for one in folder.iterdir() if one.name.endswith((PLAIN, COMPRESSED))
    ]
    size = sum(status.st_size for _, status in found)
    oldest_first = sorted(found, key=lambda one: (one[1].st_mtime_ns, one[0].name))
    for file, status in oldest_first:
        if size <= most:
            return
        if file.name.endswith(COMPRESSED):
            file.unlink(missing_ok=True)
            size -= status.st_size
            log.warning("removed the recordings in %s: the folder was over its size", file.name)
