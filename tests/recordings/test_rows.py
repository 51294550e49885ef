"""Recordings as rows."""

import pytest
from msgspec import structs

from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    RecordedUsage,
    ResponseEnd,
)
from llmsim.recordings.rows import row
from tests.recordings.samples import recording


def test_a_stream() -> None:
    frames = [
        RecordedFrame(at=0.1),
        RecordedFrame(at=0.3, tokens=1),
        RecordedFrame(at=0.5, tokens=3),
        RecordedFrame(at=0.6),
        RecordedFrame(at=0.9, tokens=2),
    ]
    one = recording(0, usage=None, response=RecordedResponse(status=200, frames=frames, ended=1.0))
    found = row(one)
    assert (found.ttft, found.total, found.output_tokens) == (0.3, 1.0, 6)
    assert found.gaps == pytest.approx((0.2, 0.4))
    assert found.gap_tokens == (3, 2)
    assert not found.failed
    assert found.hidden_tokens == 0
    hidden = RecordedUsage(prompt=1, completion=106, reasoning=100)
    assert row(structs.replace(one, usage=hidden)).hidden_tokens == 100
    shown = RecordedUsage(prompt=1, completion=6, reasoning=3)
    assert row(structs.replace(one, usage=shown)).hidden_tokens == 0


HELLO = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello there."}]}'
MESSAGE = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hello there."}]}'
CONTENT = b'{"contents":[{"parts":[{"text":"Hello there."}]}]}'


@pytest.mark.parametrize(
    ("provider", "path", "body", "tokens"),
    [
        ("openai", "/v1/chat/completions", HELLO, 10),  # 3 words, 3 + 1 a message, 3 for an answer
        ("anthropic", "/v1/messages", MESSAGE, 10),
        ("gemini", "/v1beta/models/m:streamGenerateContent", CONTENT, 10),
        ("openai", "/v1/chat/completions", b"{}", 0),
        ("openai", "/v1/nothing", HELLO, 0),
    ],
)
def test_a_prompt_that_nobody_counted_is_counted(
    provider: str, path: str, body: bytes, tokens: int
) -> None:
    request = RecordedRequest(path=path, body=Payload.of(body))
    one = recording(0, usage=None, provider=provider, model="m", request=request)
    assert row(one).prompt_tokens == tokens


def test_a_plain_answer_has_no_ttft() -> None:
    found = row(structs.replace(recording(), stream=False))
    assert found.ttft is None
    assert not found.gaps
    assert (found.prompt_tokens, found.output_tokens, found.in_flight) == (9, 2, 2)


@pytest.mark.parametrize(
    ("status", "end"), [(500, ResponseEnd.WHOLE), (200, ResponseEnd.CUT), (0, ResponseEnd.TIMEOUT)]
)
def test_failures(status: int, end: ResponseEnd) -> None:
    response = RecordedResponse(status=status, end=end, ended=1.0)
    assert row(recording(0, response=response)).failed
