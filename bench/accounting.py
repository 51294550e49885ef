"""What a tree of processes has used, as the Linux kernel accounts for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes resident. ``pss`` splits each shared page between the processes that share it, so
    only ``pss`` can be added up over processes; ``rss`` counts a shared page in each of them.
    ``shared`` is the part of ``pss`` that is shared memory."""

    rss: int
    pss: int
    shared: int

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss + other.rss, self.pss + other.pss, self.shared + other.shared)


def tree(root: int) -> tuple[int, ...]:
    """``root`` and all its living descendants, ascending."""
    parents: dict[int, int] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = {root}
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return tuple(sorted(found))


def cpu_seconds(pids: tuple[int, ...]) -> float:
    """User and system time the processes have used so far, in steps of a clock tick (10 ms).

    Source: proc_pid_stat(5), utime and stime. Raises FileNotFoundError if one has ended.
    """
    ticks = 0
    for pid in pids:
        fields = _stat(pid)
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def busy_seconds() -> float:
    """Seconds of CPU the whole machine has used, interrupts and stolen time included.

    Source: proc_stat(5).
    """
    user, nice, system, _idle, _iowait, *others = map(
        int, (PROC / "stat").read_text().partition("\n")[0].split()[1:9]
    )
    return (user + nice + system + sum(others)) / TICKS


def memory(pids: tuple[int, ...]) -> Memory:
    """Source: proc_pid_smaps(5), smaps_rollup. Memory of sockets is the kernel's: not in here."""
    total = Memory(0, 0, 0)
    for pid in pids:
        sizes: dict[str, int] = {}
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]:
            key, value = line.split(":")
            sizes[key] = int(value.split()[0]) * 1024
        total += Memory(sizes["Rss"], sizes["Pss"], sizes["Pss_Shmem"])
    return total


def command_line(pid: int) -> str:
    return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, which may hold spaces and ``)``."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
