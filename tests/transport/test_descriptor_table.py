"""The kernel's table of descriptors is as large as it has to be before the first connection."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from llmsim.transport import descriptor_table
from llmsim.transport.descriptor_table import OTHERS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's table")

GROWN = """
import resource
from pathlib import Path
from llmsim.transport.descriptor_table import grow
resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))
grow({connections})
status = Path("/proc/self/status").read_text()
print(status.partition("FDSize:")[2].split()[0])
"""


@pytest.mark.parametrize(
    ("connections", "limit", "least", "most"),
    [(3000, 8192, 3000 + OTHERS, 8192), (100_000, 2048, 2048, 2048), (10, 512, 256, 512)],
)
def test_it_has_room_for_all_connections_within_the_limit_of_open_files(
    connections: int, limit: int, least: int, most: int
) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < limit:
        pytest.skip("this machine allows fewer files")
    program = GROWN.format(limit=limit, connections=connections)
    # A process begins with a table as large as its parent needs, and this one may have many files
    # open: a shell in between has few.
    command = ["sh", "-c", '"$@"; exit', "sh", sys.executable, "-c", program]
    size = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert least <= size <= most


def test_what_was_open_stays_open_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    high = min(soft, 1000 + OTHERS) - 1
    before = set(os.listdir("/proc/self/fd"))
    taken = os.dup2(os.open(os.devnull, os.O_RDONLY), high)
    descriptor_table.grow(1000)
    os.fstat(taken)
    os.close(taken)
    assert len(set(os.listdir("/proc/self/fd")) - before) <= 2


@pytest.mark.parametrize("error", [OSError, BlockingIOError])
def test_a_kernel_that_refuses_keeps_nobody_from_starting(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    def refused(*_: object) -> int:
        raise error

    monkeypatch.setattr(descriptor_table.os, "open", refused)
    descriptor_table.grow(1000)
    assert Path("/proc/self").exists()
