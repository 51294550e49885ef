"""The rings of the history: a moment is found by its time, or it is not known."""

import numpy as np
import pytest

from llmsim.state.shm.history_ring import SIZE, STEPS, WIDTH, HistoryRing


@pytest.fixture
def memory() -> memoryview:
    return memoryview(bytearray(SIZE))


def first(ring: HistoryRing, begin: int, count: int) -> list[float | None]:
    return [None if np.isnan(one) else one for one in ring.read(begin, count)[:, 0].tolist()]


@pytest.mark.parametrize("step", STEPS)
def test_moments_that_were_not_written_are_not_known(memory: memoryview, step: int) -> None:
    ring = HistoryRing(memory, step)
    ring.put(300 * step, [1.5])
    ring.put(302 * step, [2.5])
    assert first(ring, 299 * step, 5) == [None, 1.5, None, 2.5, None]


def test_what_is_older_than_the_ring_is_overwritten(memory: memoryview) -> None:
    ring = HistoryRing(memory, 1)
    for at in range(5000, 5000 + ring.seconds + 1):
        ring.put(at, [at])
    assert first(ring, 5000, 2) == [None, 5001]
    assert first(ring, 5000 + ring.seconds, 1) == [5000 + ring.seconds]


def test_the_rings_do_not_share_memory(memory: memoryview) -> None:
    fine, coarse = (HistoryRing(memory, step) for step in STEPS)
    for at in range(15, 15 * 6000, 15):
        coarse.put(at, [7.0] * (WIDTH - 1))
    assert not np.isfinite(fine.read(1, fine.seconds)).any()
    fine.put(15, [1.0])
    assert first(coarse, 15 * 5999, 1) == [7.0]


def test_another_view_of_the_memory_reads_it(memory: memoryview) -> None:
    HistoryRing(memory, 1).put(1_800_000_000, [3.0])
    assert first(HistoryRing(memory, 1), 1_800_000_000, 1) == [3.0]
