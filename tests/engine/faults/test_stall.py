"""Answers that stop for a while."""

import numpy as np
import pytest

from llmsim.core import ConnectionEnd
from llmsim.core.faults import FaultPoint, Stall
from tests.engine.faults.applying import PLAIN, STREAMED, TOKENS, planned, sent


@pytest.mark.parametrize("name", STREAMED)
@pytest.mark.parametrize("tokens", [0, 5, TOKENS])
def test_all_from_the_place_on_is_later(name: str, tokens: int) -> None:
    whole = planned(STREAMED[name])
    made = planned(STREAMED[name], Stall(after=FaultPoint(tokens), lasts=3.0))
    assert sent(made) == sent(whole)
    assert made.ending is ConnectionEnd.WHOLE
    assert made.failure is None
    later = made.due[:] - whole.due[:]
    assert set(np.round(later, 9)) <= {0.0, 3.0}
    assert (np.diff(later) >= 0).all()
    assert made.total == whole.total + 3.0 == made.due[-1]


@pytest.mark.parametrize(("tokens", "ttft"), [(0, 3.0), (1, 0.0)])
def test_a_stall_before_the_first_token_is_part_of_the_ttft(tokens: int, ttft: float) -> None:
    whole = planned(STREAMED["openai_chat"])
    made = planned(STREAMED["openai_chat"], Stall(after=FaultPoint(tokens), lasts=3.0))
    assert made.ttft == whole.ttft + ttft


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_answer_comes_in_two_parts(name: str) -> None:
    whole = planned(PLAIN[name])
    made = planned(PLAIN[name], Stall(lasts=3.0))
    assert sent(made) == sent(whole)
    assert len(made.frames) == 2
    assert made.length == len(sent(whole))
    assert made.due[:].tolist() == [whole.total, whole.total + 3.0]


def test_a_plain_answer_may_come_late_as_one() -> None:
    whole = planned(PLAIN["openai_chat"])
    made = planned(PLAIN["openai_chat"], Stall(after=FaultPoint(0), lasts=3.0))
    assert made.length is None
    assert len(made.frames) == 1
    assert made.due[:].tolist() == [whole.total + 3.0] == [made.total]
