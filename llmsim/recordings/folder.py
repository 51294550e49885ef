"""The recordings of a folder, a file, or several.

A file's lines are read as they are needed: a folder may be larger than memory. What cannot be read
is named with file and line and skipped, so that all the rest is kept: a process that was killed
leaves a torn last line.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from llmsim.recordings.lines import LineError, from_line
from llmsim.recordings.recording import Recording

PLAIN: Final = ".jsonl"
COMPRESSED: Final = ".jsonl.zst"

log = logging.getLogger("llmsim")


class Line(NamedTuple):
    """A line of a file: where it is, counted from 1, and its recording or what is wrong with it.
    ``torn`` is a last line without an end."""

    file: Path
    number: int
    recording: Recording | None
    fault: str = ""
    torn: bool = False

    def __str__(self) -> str:
        what = "a torn last line" if self.torn else self.fault
        return f"{self.file}:{self.number}: {what}"


def files(path: Path) -> list[Path]:
    """The files of recordings at ``path``, a file or a folder, by name. Raises FileNotFoundError
    where there is nothing, ValueError for a file of another kind."""
    if path.is_dir():
        return sorted(one for one in path.iterdir() if one.name.endswith((PLAIN, COMPRESSED)))
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if not path.name.endswith((PLAIN, COMPRESSED)):
        raise ValueError(f"{path}: not a file of recordings ({PLAIN} or {COMPRESSED})")
    return [path]


def lines(file: Path) -> Iterator[Line]:
    """All lines of a file but empty ones."""
    with opened(file) as content:
        for number, line in enumerate(content, 1):
            if not line.strip():
                continue
            try:
                yield Line(file, number, from_line(line))
            except LineError as error:
                yield Line(file, number, None, str(error), torn=not line.endswith(b"\n"))


def recordings(path: Path) -> Iterator[Recording]:
    """All recordings at ``path``; each line that is none is logged and skipped."""
    for file in files(path):
        for line in lines(file):
            if line.recording is not None:
                yield line.recording
            else:
                log.warning("%s: skipped", line)


def opened(file: Path) -> IO[bytes]:
    """A file's lines, decompressed. One that breaks off ends where it does."""
    if not file.name.endswith(COMPRESSED):
        return file.open("rb")
    import zstandard  # noqa: PLC0415  an extra: plain files are read without

    source = zstandard.ZstdDecompressor().stream_reader(file.open("rb"), closefd=True)
    return io.BufferedReader(source)
