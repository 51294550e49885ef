"""Answers that come slowly."""

import numpy as np
import pytest

from llmsim.core.faults import Trickle
from tests.engine.faults.applying import PLAIN, STREAMED, Asked, planned, sent


@pytest.mark.parametrize("name", STREAMED)
def test_what_follows_the_first_token_is_stretched(name: str) -> None:
    whole = planned(STREAMED[name])
    made = planned(STREAMED[name], Trickle(factor=4.0))
    assert sent(made) == sent(whole)
    assert made.ttft == whole.ttft
    before, after = whole.due[:], made.due[:]
    paced = before > whole.ttft
    expected = whole.ttft + (before[paced] - whole.ttft) * 4
    np.testing.assert_allclose(after[paced], expected)
    np.testing.assert_array_equal(after[~paced], before[~paced])


@pytest.mark.parametrize("asked", [*STREAMED.values(), *PLAIN.values()])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("profile", ["gpt-4o", "instant"])
def test_bytes_are_dribbled(asked: Asked, size: int, profile: str) -> None:
    whole = planned(asked, None, profile)
    made = planned(asked, Trickle(factor=1.0, bytes=size, every=0.5), profile)
    assert sent(made) == sent(whole)
    assert len(made.frames) == len(made.due)
    assert max(len(made.frames[index]) for index in range(len(made.due))) <= size
    assert (np.diff(made.due[:]) >= 0.5 - 1e-9).all()
    assert made.due[0] == whole.due[0]
    assert made.length == (None if made.stream else len(sent(whole)))
