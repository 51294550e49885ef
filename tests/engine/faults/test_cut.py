"""Connections that close in the middle of an answer."""

import numpy as np
import pytest

from llmsim.core import ConnectionEnd
from llmsim.core.faults import Cut, FaultPoint
from tests.engine.faults.applying import PLAIN, STREAMED, TOKENS, planned, sent


@pytest.mark.parametrize("name", STREAMED)
@pytest.mark.parametrize("profile", ["gpt-4o", "instant"])
@pytest.mark.parametrize("tokens", [1, 5, TOKENS])
def test_a_stream_is_cut_after_so_many_tokens(name: str, profile: str, tokens: int) -> None:
    whole = planned(STREAMED[name], None, profile)
    made = planned(STREAMED[name], Cut(after=FaultPoint(tokens)), profile)
    assert made.ending is ConnectionEnd.CUT
    assert made.failure is not None
    assert made.failure.injected
    assert len(made.frames) == len(made.due) < len(whole.due)
    assert sent(whole).startswith(sent(made))
    np.testing.assert_array_equal(made.due[:], whole.due[: len(made.due)])


@pytest.mark.parametrize("tokens", range(1, TOKENS + 1))
def test_chat_sends_the_role_and_a_frame_a_token(tokens: int) -> None:
    made = planned(STREAMED["openai_chat"], Cut(after=FaultPoint(tokens)))
    last = tokens == TOKENS  # the reason why it ended comes with the last token
    assert len(made.frames) == 1 + tokens + last


@pytest.mark.parametrize("name", STREAMED)
def test_a_cut_before_the_first_token_sends_the_head(name: str) -> None:
    made = planned(STREAMED[name], Cut(after=FaultPoint(0)))
    assert len(made.frames) == len(made.due) >= 1
    assert b'delta":"' not in sent(made)


def test_without_a_place_half_is_sent() -> None:
    made = planned(STREAMED["openai_chat"], Cut())
    assert len(made.frames) == 1 + TOKENS // 2


def test_several_choices_are_cut_together() -> None:
    whole = planned(STREAMED["openai_chat"], n=3)
    made = planned(STREAMED["openai_chat"], Cut(after=FaultPoint(after_fraction=0.5)), n=3)
    assert len(made.frames) == pytest.approx(len(whole.frames) / 2, abs=4)
    assert sent(whole).startswith(sent(made))


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_plain_answer_lacks_what_its_head_announces(name: str, share: float) -> None:
    whole = sent(planned(PLAIN[name]))
    made = planned(PLAIN[name], Cut(after=FaultPoint(after_fraction=share)))
    assert made.length == len(whole)
    assert sent(made) == whole[: int(share * len(whole))]
    assert made.ending is ConnectionEnd.CUT
    assert made.status == 200
