"""Connections that are reset."""

import pytest

from llmsim.core import ConnectionEnd
from llmsim.core.faults import Cut, FaultPoint, Reset
from tests.engine.faults.applying import PLAIN, STREAMED, Asked, planned, sent

EVERY = [*STREAMED.values(), *PLAIN.values()]


@pytest.mark.parametrize("asked", EVERY)
def test_without_a_place_nothing_is_sent(asked: Asked) -> None:
    whole = planned(asked)
    made = planned(asked, Reset())
    assert made.ending is ConnectionEnd.UNANSWERED
    assert sent(made) == b""
    assert made.due[:].tolist() == whole.due[:1].tolist()


@pytest.mark.parametrize("asked", EVERY)
def test_in_the_middle_it_is_a_cut_that_resets(asked: Asked) -> None:
    made = planned(asked, Reset(after=FaultPoint(7)))
    assert made.ending is ConnectionEnd.RESET
    assert sent(made) == sent(planned(asked, Cut(after=FaultPoint(7))))
    assert made.failure is not None
    assert made.failure.injected
