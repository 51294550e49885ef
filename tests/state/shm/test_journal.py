"""What was sent and asked, found again by its mark: the right entry or none."""

import os
import signal
from collections import deque
from multiprocessing import get_context
from multiprocessing.synchronize import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.state.shm import journal
from llmsim.state.shm.journal import MARK_DIGITS, RECORDS, SLICE, Journal, JournalEntry, slot_of
from llmsim.state.shm.segment import MAX_SLOTS, PAGE, Segment, Shape

PATIENCE = 20.0
"""Seconds another process may take to start or to end."""

SECRET = 0x1234_5678_9ABC
RING = 4096


def memory(ring: int = RING) -> memoryview:
    return memoryview(bytearray(journal.size(ring)))


def begin(one: Journal, body: bytes, model: str = "m", answer: bytes = b"", seed: int = 5) -> str:
    """Remember a request that arrives now; its mark."""
    number = one.reserve()
    one.begin(number, "/v1/x", model, body, 1000.0 + number, (0.25, 2.5), 12, seed, answer)
    return one.mark(number)


def test_an_entry_tells_what_was_asked_and_planned() -> None:
    one = Journal(memory(), 3, SECRET)
    number = one.reserve()
    one.begin(number, "/v1/x", "gpt-ü", b"{body}", 1e9, (0.25, 2.5), 12, -(2**63), b"answer")
    assert one.find(one.mark(number)) == JournalEntry(
        mark=one.mark(number),
        endpoint="/v1/x",
        model="gpt-ü",
        arrived=1e9,
        status=0,
        seed=-(2**63),
        planned_ttft=0.25,
        planned_total=2.5,
        first=None,
        end=None,
        lateness=None,
        arrival_lag=0.0,
        output_lag=None,
        delivery_lateness=None,
        frames=12,
        sent=0,
        body=b"{body}",
        answer=b"answer",
    )


def test_what_is_large_is_written_in_slices_before_its_request_begins() -> None:
    one = Journal(memory(16 * SLICE), 3, SECRET)
    body, answer = b"b" * (SLICE + 1), b"a" * 2 * SLICE
    writing = one.written("/v1/x", "m", b"", body, answer)
    place = next(writing)
    small = begin(one, b"meanwhile")
    places = list(writing)
    assert set(places) == {place}
    assert len(places) == 4  # after the name: two of the body, two of the answer
    number = one.reserve()
    one.begin(
        *(number, "/v1/x", "m", body, 1e9, (0.25, 2.5), 12, 7, answer, 0.0, False), place=place
    )
    found = one.find(one.mark(number))
    assert found is not None
    assert (found.body, found.answer) == (body, answer)
    assert (other := one.find(small)) is not None
    assert other.body == b"meanwhile"


def test_a_slice_is_never_written_over_what_others_have_written_since() -> None:
    one = Journal(memory(16 * SLICE), 3, SECRET)
    body = b"b" * 3 * SLICE
    writing = one.written("/v1/x", "m", b"", body, b"")
    place = next(writing)
    marks = [begin(one, b"%d" % number * SLICE) for number in range(10, 26)]
    assert list(writing) == []
    number = one.reserve()
    one.begin(*(number, "/v1/x", "m", body, 1e9, (0.2, 2.5), 1, 7, b"", 0.0, False), place=place)
    assert one.find(one.mark(number)) is None
    latest = one.find(marks[-1])
    assert latest is not None
    assert latest.body == b"25" * SLICE


def test_what_is_too_large_for_the_ring_is_not_written() -> None:
    assert list(Journal(memory(), 3, SECRET).written("/v1/x", "m", b"", b"b" * RING, b"")) == []


def test_an_entry_tells_how_it_went_once_it_has_ended() -> None:
    one = Journal(memory(), 0, SECRET)
    number = one.reserve()
    one.begin(number, "/v1/x", "m", b"b", 1e9, (0.25, 2.5), 12, 2**63 - 1, streamed=True)
    one.end(number, 499, 0.26, 1.5, 0.004, 7, (9, 4, 2, 1))
    found = one.find(one.mark(number))
    assert found is not None
    assert (found.status, found.first, found.end, found.lateness) == (499, 0.26, 1.5, 0.004)
    assert (found.frames, found.sent, found.seed) == (12, 7, 2**63 - 1)
    assert (found.streamed, found.tokens) == (True, (9, 4, 2, 1))


def test_of_the_output_lags_of_an_answer_the_longest_is_kept() -> None:
    one = Journal(memory(), 0, SECRET)
    number = one.reserve()
    one.begin(number, "/v1/x", "m", b"b", 1e9, (0.25, 2.5), 12, 7, b"", 0.5)
    for lag, late in ((0.25, -1.0), (0.75, 0.875), (0.5, 2.0)):
        one.output(number, lag, late)
    one.end(number, 200, 0.26, 1.5, 0.004, 7)
    found = one.find(one.mark(number))
    assert found is not None
    assert (found.arrival_lag, found.lateness, found.output_lag) == (0.5, 0.004, 0.75)
    assert found.delivery_lateness == 2.0
    assert (found.frames, found.sent, found.status, found.seed) == (12, 7, 200, 7)


def test_an_output_lag_that_comes_too_late_changes_no_other_entry() -> None:
    one = Journal(memory(), 0, SECRET)
    numbers = [one.reserve() for _ in range(RECORDS + 1)]
    one.begin(numbers[-1], "/v1/x", "m", b"b", 1e9, (0.25, 2.5), 12, 7)
    one.output(numbers[0], 0.5, 0.5)
    found = one.find(one.mark(numbers[-1]))
    assert found is not None
    assert (found.output_lag, found.delivery_lateness) == (None, None)


def test_a_reserved_number_is_not_an_entry_yet() -> None:
    one = Journal(memory(), 0, SECRET)
    number = one.reserve()
    assert one.find(one.mark(number)) is None
    assert list(one.latest(10)) == []


@pytest.mark.parametrize("slot", [0, 1, 255, 256, MAX_SLOTS - 1])
def test_a_mark_names_its_slot_and_ends_every_id(slot: int) -> None:
    one = Journal(memory(), slot, SECRET)
    mark = begin(one, b"body")
    assert len(mark) == MARK_DIGITS
    for name in (mark, f"chatcmpl-LMs{mark}", f"req_0115e9{mark}"):
        assert slot_of(name) == (slot, mark)
    assert one.find(mark) is not None


@pytest.mark.parametrize("name", ["", "req_", "0" * 25, "Z" * 26, "chatcmpl-" + "A" * 26])
def test_other_names_are_no_ids(name: str) -> None:
    assert slot_of(name) is None


def test_marks_of_another_slot_launch_or_number_find_nothing() -> None:
    shared = memory()
    one = Journal(shared, 1, SECRET)
    mark = begin(one, b"body")
    assert one.find(mark) is not None
    assert Journal(shared, 2, SECRET).find(mark) is None
    assert Journal(shared, 1, SECRET + 1).find(mark) is None
    forged = mark[:-1] + ("0" if mark[-1] != "0" else "1")
    assert one.find(forged) is None
    assert one.find(one.mark(RECORDS)) is None


def test_marks_do_not_repeat() -> None:
    one = Journal(memory(), 7, SECRET)
    marks = {one.mark(number) for number in range(5000)}
    assert len(marks) == 5000


def test_latest_is_newest_first() -> None:
    one = Journal(memory(), 0, SECRET)
    marks = [begin(one, b"%d" % number) for number in range(9)]
    assert [entry.mark for entry in one.latest(4)] == marks[:-5:-1]
    assert [entry.body for entry in one.latest(1000)] == [b"%d" % n for n in range(8, -1, -1)]


def test_the_index_is_used_in_turn() -> None:
    one = Journal(memory(1 << 20), 0, SECRET)
    marks = [begin(one, b"") for _ in range(RECORDS + 10)]
    assert [one.find(mark) for mark in marks[:10]] == [None] * 10
    assert all(one.find(mark) is not None for mark in marks[10:])
    assert sum(1 for _ in one.latest(2 * RECORDS)) == RECORDS


def test_a_late_end_does_not_touch_the_entry_that_took_its_place() -> None:
    one = Journal(memory(), 0, SECRET)
    old = one.reserve()
    one.begin(old, "/v1/x", "m", b"old", 0.0, (0.0, 0.0), 1, 0)
    marks = [begin(one, b"new") for _ in range(RECORDS)]
    one.end(old, 200, 1.0, 2.0, 3.0, 4)
    replaced = one.find(marks[-1])
    assert replaced is not None
    assert (replaced.status, replaced.first, replaced.sent) == (0, None, 0)


def test_the_oldest_entry_of_the_index_can_still_end() -> None:
    one = Journal(memory(1 << 20), 0, SECRET)
    marks = [begin(one, b"") for _ in range(RECORDS)]
    one.end(0, 200, 1.0, 2.0, 0.0, 4)
    found = one.find(marks[0])
    assert found is not None
    assert (found.status, found.sent) == (200, 4)


def test_what_is_too_large_for_the_ring_is_left_out() -> None:
    one = Journal(memory(), 0, SECRET)
    room = journal.size(RING) - (journal.size(0) - PAGE)
    mark = begin(one, bytes(room), "big", b"answer")
    found = one.find(mark)
    assert found is not None
    assert (found.model, found.body, found.answer) == ("big", b"", b"")


bodies = st.lists(
    st.tuples(st.integers(0, 1500), st.integers(0, 300), st.text(max_size=20)), max_size=60
)


@given(bodies)
def test_every_entry_found_is_the_one_that_was_written(asked: list[tuple[int, int, str]]) -> None:
    one = Journal(memory(), 1, SECRET)
    written: dict[str, tuple[str, bytes, bytes]] = {}
    for number, (size, answer_size, model) in enumerate(asked):
        body = number.to_bytes(2, "big") * size
        answer = bytes([number]) * answer_size
        newest = begin(one, body, model, answer)
        written[newest] = (model, body, answer)
        assert one.find(newest) is not None
        for mark, (name, sent, said) in written.items():
            found = one.find(mark)
            if found is not None:
                assert found.model == name
                assert (found.body, found.answer) in ((sent, said), (b"", b""))


@given(bodies)
def test_what_was_written_last_survives_wrapping_round(asked: list[tuple[int, int, str]]) -> None:
    one = Journal(memory(), 1, SECRET)
    last: deque[tuple[str, bytes]] = deque()
    for number, (size, _, model) in enumerate(asked * 3):
        body = bytes([number % 256]) * (size % (RING // 16))
        last.append((begin(one, body, model), body))
        while sum(len(body) + 100 for _, body in last) > RING:
            last.popleft()
        for mark, sent in last:
            found = one.find(mark)
            assert found is not None
            assert found.body == sent


def write(path: str, written: Event) -> None:
    """Fill a journal for ever with entries whose every part tells their number."""
    one = Journal(Segment.attach(path).journal(0), 0, SECRET)
    while True:
        number = one.reserve()
        word = b"%d," % number
        one.begin(
            number, "/v1/x", f"m{number}", word * (number % 97), float(number), (number, -number),
            number % 2**31, number, word * (number % 13),
        )  # fmt: skip
        one.end(number, 200, number, 2.0 * number, 0.0, number % 2**31)
        if number == RECORDS:
            written.set()


def test_a_reader_in_another_process_never_gets_half_an_entry() -> None:
    segment = Segment.create(Shape(1, PAGE, journal.size(1 << 16)))
    spawning = get_context("spawn")
    written = spawning.Event()
    writer = spawning.Process(target=write, args=(segment.path, written), daemon=True)
    writer.start()
    try:
        assert written.wait(PATIENCE), "the writer does not write"
        reader = Journal(segment.journal(0), 0, SECRET)
        found = [entry for _ in range(60) for entry in reader.latest(100)]
        newest = found[-1]
        for _ in range(20_000):
            newest = next(reader.latest(1), newest)
            oldest = int(newest.arrived) - RECORDS + 1  # its record is the next to be replaced
            found += [entry] if (entry := reader.find(reader.mark(oldest))) is not None else []
    finally:
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(PATIENCE)
    assert len(found) > 1000
    for entry in found:
        number = int(entry.arrived)
        word = b"%d," % number
        assert entry.mark == reader.mark(number)
        assert entry.model == f"m{number}"
        assert entry.body == word * (number % 97)
        assert entry.answer == word * (number % 13)
        assert (entry.planned_ttft, entry.planned_total) == (number, -number)
        assert entry.seed == number
