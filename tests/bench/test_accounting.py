"""What the kernel says a tree of processes used."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from bench.accounting import busy_seconds, cpu_seconds, memory, tree

if not Path("/proc/self/smaps_rollup").exists():
    pytest.skip("needs Linux's /proc", allow_module_level=True)

GRANDCHILD = """
import time
held = bytearray(b"x" * (32 << 20))
while time.process_time() < 0.3: pass
print("ready", flush=True)
input()
"""
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"


@pytest.fixture(scope="module")
def family():
    """A child whose own child has used 0.3 s of CPU and holds 32 MiB."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"ready\n"
        yield tree(child.pid)
        child.stdin.close()


def test_a_tree_has_children_and_grandchildren_but_not_the_parent(family):
    assert len(family) == 2
    assert os.getpid() not in family
    assert set(family) < set(tree(os.getpid()))


def test_cpu_is_that_of_all_processes(family):
    # Each process's user and system time are whole ticks, cut off.
    cut_off = 2 * len(family) / os.sysconf("SC_CLK_TCK")
    assert 0.3 - cut_off <= cpu_seconds(family) < 1.5


def test_cpu_agrees_with_what_a_process_knows_of_itself():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    assert cpu_seconds((os.getpid(),)) == pytest.approx(usage.ru_utime + usage.ru_stime, abs=0.05)


def test_memory_is_that_of_all_processes(family):
    total = memory(family)
    assert total.pss <= total.rss
    assert 32 << 20 <= total.pss < 96 << 20


def test_a_process_that_has_ended_is_an_error():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass
    with pytest.raises(FileNotFoundError):
        cpu_seconds((child.pid,))


def test_the_machine_is_at_least_as_busy_as_its_processes(family):
    assert busy_seconds() > cpu_seconds(family)
