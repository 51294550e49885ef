"""Streams that end with an error event."""

import orjson
import pytest

from llmsim.core import ConnectionEnd
from llmsim.core.errors import FailureKind
from llmsim.core.faults import Cut, ErrorEvent, FaultPoint
from tests.engine.faults.applying import PLAIN, STREAMED, TOKENS, planned, sent

EVENTS = {
    "openai_chat": (b"data: ", b"\n\n", "error"),
    "openai_completions": (b"data: ", b"\n\n", "error"),
    "openai_responses": (b"event: response.failed\ndata: ", b"\n\n", "response"),
    "anthropic": (b"event: error\ndata: ", b"\n\n", "error"),
    "gemini": (b"data: ", b"\r\n\r\n", "error"),
    "gemini_array": (b"", b"\n]", "error"),
}


@pytest.mark.parametrize("name", STREAMED)
@pytest.mark.parametrize("tokens", [1, 5, TOKENS, 10 * TOKENS])
def test_the_rest_is_an_error_event(name: str, tokens: int) -> None:
    whole = planned(STREAMED[name])
    made = planned(STREAMED[name], ErrorEvent(after=FaultPoint(tokens)))
    assert len(made.frames) == len(made.due) <= len(whole.due)
    kept, event = made.frames.join(0, len(made.due) - 1), made.frames[len(made.due) - 1]
    assert sent(whole).startswith(kept)
    before, after, key = EVENTS[name]
    assert event.startswith(before)
    assert event.endswith(after)
    assert key in orjson.loads(event.removeprefix(before).removesuffix(after))
    assert made.ending is ConnectionEnd.WHOLE
    assert made.failure is not None
    assert made.failure.kind is FailureKind.OVERLOADED


def test_an_array_of_nothing_but_the_error_is_an_array() -> None:
    made = planned(STREAMED["gemini_array"], ErrorEvent(after=FaultPoint(0)))
    (parsed,) = orjson.loads(sent(made))
    assert parsed["error"]["status"] == "UNAVAILABLE"


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_answer_is_whole(name: str) -> None:
    made = planned(PLAIN[name], ErrorEvent())
    assert sent(made) == sent(planned(PLAIN[name]))
    assert made.failure is None


@pytest.mark.parametrize(("after", "share"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_an_answer_that_is_polled_fails_at_that_time(after: float, share: float) -> None:
    whole = planned(PLAIN["openai_chat"])
    fault = ErrorEvent(after=FaultPoint(after_fraction=after))
    made = planned(PLAIN["openai_chat"], fault, polled=True)
    assert made.failure is not None
    assert made.total == pytest.approx(whole.ttft + share * (whole.total - whole.ttft), rel=1e-3)
    assert sent(made) == sent(whole)


def test_nothing_else_happens_to_an_answer_that_is_polled() -> None:
    whole = planned(PLAIN["openai_chat"])
    made = planned(PLAIN["openai_chat"], Cut(after=FaultPoint(5)), polled=True)
    assert (sent(made), made.failure, made.ending) == (sent(whole), None, whole.ending)
