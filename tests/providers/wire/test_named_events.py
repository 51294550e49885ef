"""Events with a name, one after another, whichever way they are asked for."""

import numpy as np
import pytest

from llmsim.providers.wire.named_events import NamedEvents, SimilarEvents, SingleEvent

EVENTS = NamedEvents([SingleEvent(b"a"), SimilarEvents(b"<", (b"1", b"2")), SingleEvent(b"z")])
FRAMES = [b"a", b"<1", b"<2", b"z"]


def test_one_by_one_and_joined() -> None:
    assert len(EVENTS) == 4
    assert [EVENTS[place] for place in range(4)] == FRAMES
    for start in range(5):
        for stop in range(start, 6):
            assert EVENTS.join(start, stop) == b"".join(FRAMES[start:stop])
    with pytest.raises(IndexError):
        EVENTS[4]


def test_in_another_order() -> None:
    order = np.array([3, 0, 2])
    assert EVENTS.reorder(order).join(0, 3) == b"za<2"
