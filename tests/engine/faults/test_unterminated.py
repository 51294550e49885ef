"""Streams that lack their last event."""

import orjson
import pytest

from llmsim.core import ConnectionEnd
from llmsim.core.faults import Unterminated
from tests.engine.faults.applying import PLAIN, STREAMED, planned, sent

LAST = {
    "openai_chat": b"[DONE]",
    "openai_completions": b"[DONE]",
    "openai_responses": b"response.completed",
    "anthropic": b"message_stop",
    "gemini": b"finishReason",
    "gemini_array": b"\n]",
}


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_lacks_what_ends_it(name: str) -> None:
    whole = planned(STREAMED[name])
    made = planned(STREAMED[name], Unterminated())
    assert LAST[name] in sent(whole)
    assert LAST[name] not in sent(made)
    assert len(made.frames) == len(made.due) == len(whole.due) - 1
    assert sent(whole).startswith(sent(made))
    assert made.ending is ConnectionEnd.WHOLE


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_answer_lacks_its_last_byte(name: str) -> None:
    made = planned(PLAIN[name], Unterminated())
    assert sent(made) + b"}" == sent(planned(PLAIN[name]))
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(sent(made))
