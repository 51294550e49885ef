"""Frames that are no JSON."""

import orjson
import pytest

from llmsim.core.faults import FaultPoint, Malformed
from llmsim.engine.faults.malformed import spoiled
from tests.engine.faults.applying import PLAIN, STREAMED, TOKENS, planned, sent


@pytest.mark.parametrize("name", STREAMED)
@pytest.mark.parametrize("tokens", [0, 1, 5, TOKENS, 10 * TOKENS])
def test_one_frame_is_spoiled_and_its_framing_is_not(name: str, tokens: int) -> None:
    whole = planned(STREAMED[name])
    made = planned(STREAMED[name], Malformed(after=FaultPoint(tokens)))
    assert len(made.frames) == len(whole.frames)
    different = [i for i in range(len(whole.due)) if made.frames[i] != whole.frames[i]]
    assert len(different) == 1
    before, after = whole.frames[different[0]], made.frames[different[0]]
    assert after.endswith(before[len(before.rstrip(b"\r\n,]")) :])
    assert made.failure is not None
    assert made.failure.injected


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_body_is_no_json(name: str) -> None:
    made = planned(PLAIN[name], Malformed())
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(sent(made))
    assert made.length is None


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b'data: {"a":1}\n\n', b'{"a'),
        (b'event: message_stop\ndata: {"type":"mesage_stop"}\n\n', b'{"type":"me'),
        (b'[{"a":1}\n,\r\n', b'{"a'),
        (b"data: [DONE]\n\n", b"[DO"),
    ],
)
def test_the_message_is_broken_off(frame: bytes, message: bytes) -> None:
    made = spoiled(frame)
    assert made != frame
    assert b"{" not in frame or message in made
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(made.rpartition(b"data: ")[2])
