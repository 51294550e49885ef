"""The shared memory: its parts, and who owns which, between real processes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from llmsim.state.shm.segment import CURSORS, MAX_SLOTS, PAGE, Segment, Shape

PATIENCE = 20.0
"""Seconds another process may take for one step."""

SMALL = Shape(3, PAGE, 2 * PAGE)
spawning = get_context("spawn")


def hold(path: str, slot: int, pipe: Connection) -> None:
    """Claim a slot, report whether that worked, and keep it until asked to give it up or killed."""
    segment = Segment.attach(path)
    pipe.send(segment.claim(slot))
    while pipe.recv() == "release":
        segment.release(slot)
        pipe.send("released")


def inputs(path: str, cursor: int, times: int, pipe: Connection) -> None:
    """Draw from a cursor as often as that and tell what came."""
    segment = Segment.attach(path)
    pipe.send("ready")
    pipe.recv()
    pipe.send([segment.advance(cursor) for _ in range(times)])


def heard(pipe: Connection) -> Any:
    assert pipe.poll(PATIENCE), "the other process says nothing"
    return pipe.recv()


@contextmanager
def running(
    target: Callable[..., None], *args: object
) -> Iterator[tuple[SpawnProcess, Connection]]:
    here, there = spawning.Pipe()
    process = spawning.Process(target=target, args=(*args, there), daemon=True)
    process.start()
    try:
        yield process, here
    finally:
        process.kill()
        process.join(PATIENCE)


@pytest.fixture
def segment() -> Segment:
    return Segment.create(SMALL)


def test_a_new_segment_has_the_shape_asked_for_and_is_empty(segment: Segment) -> None:
    assert segment.shape == SMALL
    assert SMALL.locks_at == PAGE + 3 * 3 * PAGE < SMALL.size
    for slot in range(SMALL.slots):
        assert bytes(segment.counters(slot)) == bytes(PAGE)
        assert bytes(segment.journal(slot)) == bytes(2 * PAGE)


def test_parts_do_not_overlap(segment: Segment) -> None:
    parts = [part(slot) for part in (segment.counters, segment.journal) for slot in range(3)]
    header = bytes(segment.header)
    for number, part in enumerate(parts, 1):
        part[:] = bytes([number]) * len(part)
    for number, part in enumerate(parts, 1):
        assert set(bytes(part)) == {number}
    assert bytes(segment.header) == header


def test_what_one_view_writes_another_reads(segment: Segment) -> None:
    other = Segment.attach(segment.path)
    segment.counters(2)[7] = 99
    other.journal(0)[3] = 42
    assert other.counters(2)[7] == 99
    assert segment.journal(0)[3] == 42
    assert (other.shape, other.secret, other.started) == (
        segment.shape,
        segment.secret,
        segment.started,
    )


def test_a_segment_knows_its_launch() -> None:
    before = time.time()
    one, two = Segment.create(SMALL), Segment.create(SMALL)
    after = time.time()
    assert before - 0.001 <= one.started <= two.started <= after
    assert one.secret != two.secret
    assert one.header[4] == os.getpid()


@pytest.mark.parametrize("slots", [0, -1, MAX_SLOTS + 1])
def test_impossible_numbers_of_slots_are_refused(slots: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {MAX_SLOTS} slots, not {slots}"):
        Segment.create(Shape(slots, PAGE, PAGE))


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(bytes(2 * PAGE))
    with pytest.raises(RuntimeError, match="not a segment"):
        Segment.attach(str(path))


def test_a_slot_has_one_owner_and_is_free_once_released(segment: Segment) -> None:
    with running(hold, segment.path, 1) as (_, pipe):
        assert heard(pipe) is True
        assert not segment.claim(1)
        assert segment.claim(0)
        assert segment.claim(2)
        pipe.send("release")
        assert heard(pipe) == "released"
        assert segment.claim(1)


def test_a_claimed_slot_is_refused_to_others(segment: Segment) -> None:
    assert segment.claim(0)
    with running(hold, segment.path, 0) as (_, pipe):
        assert heard(pipe) is False


def test_a_killed_owner_frees_its_slot_and_what_it_wrote_stays(segment: Segment) -> None:
    with running(hold, segment.path, 1) as (process, pipe):
        assert heard(pipe) is True
        segment.counters(1)[0] = 7
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        assert segment.claim(1)
        assert segment.counters(1)[0] == 7


def test_cursors_count_on_their_own(segment: Segment) -> None:
    assert [segment.advance(0) for _ in range(3)] == [0, 1, 2]
    assert segment.advance(CURSORS - 1) == 0
    assert segment.advance(0) == 3
    assert [segment.reached(cursor) for cursor in (0, 1, CURSORS - 1)] == [4, 0, 1]
    assert segment.claim(0), "a cursor's lock is no slot's"


def test_a_cursor_gives_every_number_once_over_processes(segment: Segment) -> None:
    times = 3000
    with (
        running(inputs, segment.path, 5, times) as (_, one),
        running(inputs, segment.path, 5, times) as (_, two),
    ):
        for pipe in (one, two):
            assert heard(pipe) == "ready"
        for pipe in (one, two):
            pipe.send("go")
        mine = [segment.advance(5) for _ in range(times)]
        drawn = [mine, heard(one), heard(two)]
    assert all(each == sorted(each) for each in drawn)
    assert sorted(chain.from_iterable(drawn)) == list(range(3 * times))
