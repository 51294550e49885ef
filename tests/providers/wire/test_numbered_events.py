"""NumberedEvents events: each knows its name and its place in the stream."""

from collections.abc import Sequence

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core.plan import PIECE, LargeChunk, pieces
from llmsim.providers.wire.numbered_events import Deltas, Events, NumberedEvents

RUNS = [
    Events((b"a.begin",), lambda _: (b'"x":', b"1", b"}")),
    Deltas(b"a.delta", b'"of":"a",', [b'"d":"1"}', b'"d":"2"}', b'"d":"3"}']),
    Events((b"a.end", b"a.over"), lambda place: (b'"x":%d}' % (2 + place),)),
    Deltas(b"b.delta", b"", [b'"d":"4"}']),
]
NAMES = ["a.begin", "a.delta", "a.delta", "a.delta", "a.end", "a.over", "b.delta"]


def named_events(chunk: bytes) -> list[tuple[str, dict[str, object]]]:
    """Names and data of the events of a chunk."""
    made = []
    for event in chunk.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        made.append((name.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))))
    return made


def test_every_event_tells_its_name_and_number() -> None:
    frames = NumberedEvents(RUNS)
    events = named_events(bytes(frames.join(0, len(frames))))
    assert [name for name, _ in events] == NAMES
    assert [data["type"] for _, data in events] == NAMES
    assert [data["sequence_number"] for _, data in events] == list(range(7))
    assert [data.get("d") for _, data in events] == [None, "1", "2", "3", None, None, "4"]
    assert events[2][1]["of"] == "a"
    assert [data.get("x") for _, data in events] == [1, None, None, None, 2, 3, None]


@pytest.mark.parametrize("index", [-1, 7, 100])
def test_there_are_no_others(index: int) -> None:
    with pytest.raises(IndexError):
        NumberedEvents(RUNS)[index]


@given(start=st.integers(0, 7), stop=st.integers(0, 9))
def test_a_join_is_its_frames(start: int, stop: int) -> None:
    frames = NumberedEvents(RUNS)
    whole = [frames[index] for index in range(len(frames))]
    assert bytes(frames.join(start, stop)) == b"".join(whole[start:stop])


@pytest.mark.parametrize("order", [[5, 3, 1], [4, 5], []])
def test_events_that_are_picked_keep_their_numbers(order: Sequence[int]) -> None:
    frames = NumberedEvents(RUNS)
    picked = frames.reorder(np.array(order, np.int64))
    assert len(picked) == len(order)
    assert [picked[index] for index in range(len(order))] == [frames[index] for index in order]
    assert picked.join(0, len(order)) == b"".join(frames[index] for index in order)
    again = picked.reorder(np.arange(len(order))[::-1])
    assert again.join(0, len(order)) == b"".join(frames[index] for index in reversed(order))


def test_large_events_are_put_together_piece_by_piece() -> None:
    large = b'"x":"%b"}' % (b"y" * 3 * PIECE)
    frames = NumberedEvents([*RUNS, Events((b"a.whole", b"b.whole"), lambda _: (large,))])
    chunk = frames.join(3, 9)
    assert isinstance(chunk, LargeChunk)
    assert bytes(chunk) == b"".join(frames[index] for index in range(3, 9))
    assert all(len(piece) <= PIECE for piece in pieces(chunk))
    assert isinstance(frames.join(7, 8), LargeChunk)
    later = frames.reorder(np.arange(4, 9))
    assert isinstance(again := later.join(0, 5), LargeChunk)
    assert bytes(again) == b"".join(frames[index] for index in range(4, 9))
