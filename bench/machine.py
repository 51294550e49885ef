"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the versions; ``revision`` ends in ``+`` if the tree had changes."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    granian: str
    uvloop: str
    llmsim: str
    revision: str

    def __str__(self) -> str:
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gib:.0f} GiB, {self.kernel}; "
            f"Python {self.python}, granian {self.granian}, uvloop {self.uvloop}, "
            f"llmsim {self.llmsim} ({self.revision})"
        )

    def record(self) -> dict[str, str | int | float]:
        return asdict(self)


def this_machine() -> Machine:
    return Machine(
        cpu=cpu_model(Path("/proc/cpuinfo").read_text()),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        kernel=f"{platform.system()} {platform.release().split('-')[0]}",
        python=platform.python_version(),
        granian=_version("granian"),
        uvloop=_version("uvloop"),
        llmsim=_version("llmsim"),
        revision=_revision(),
    )


def cpu_model(cpuinfo: str) -> str:
    """The processor's name in the text of /proc/cpuinfo, or the architecture's."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _revision() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    revision = git("rev-parse", "--short", "HEAD")
    if not revision:
        return "no revision"
    return revision + ("+" if git("status", "--porcelain", "--", "llmsim", "bench") else "")
