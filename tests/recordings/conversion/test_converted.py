"""What was recorded plain as a stream, the other way round, and several as one, in all dialects.

llmsim's own answers are what is recorded: plain and streamed it gives the same answer to the same
request, so the one that is converted must be the other, byte for byte.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec import structs

from llmsim.core import ConnectionEnd
from llmsim.recordings.answers import placed_documents
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    ResponseEnd,
)
from tests.recordings.conversion.service import ANSWERS, CHAT, CLAUDE, Service, content

NAMES = [f"{codec} {place}" for place, (codec, _, _) in enumerate(ANSWERS)]


@pytest.mark.parametrize(("codec", "text", "body"), ANSWERS, ids=NAMES)
def test_a_stream_is_a_plain_answer_too(
    codec: str, text: str, body: dict[str, Any], tmp_path: Path
) -> None:
    service = Service(tmp_path, codec, text, body)
    recorded = service.recording(True)
    made = service.replayed([recorded], False)
    assert orjson.loads(content(made)) == orjson.loads(content(service.answer(False)))
    assert not made.stream
    assert made.due[0] == recorded.response.ended
    assert dict(made.headers or ())["content-type"].startswith("application/json")


@pytest.mark.parametrize(("codec", "text", "body"), ANSWERS, ids=NAMES)
def test_a_plain_answer_is_a_stream_too(
    codec: str, text: str, body: dict[str, Any], tmp_path: Path
) -> None:
    service = Service(tmp_path, codec, text, body)
    recorded = service.recording(False)
    made = service.replayed([recorded], True)
    own = service.answer(True)
    # Of several choices each has its own pace, and the frames then another order.
    assert sorted(content(made).split(b"\n\n")) == sorted(content(own).split(b"\n\n"))
    assert made.stream
    times = made.due[:].tolist()
    assert times == sorted(times)
    assert times[-1] == pytest.approx(recorded.response.ended)
    assert len(set(times)) > 3 or codec == "gemini"  # whose calls are one chunk
    assert dict(made.headers or ())["content-type"] == "text/event-stream; charset=utf-8" or (
        dict(made.headers or ())["content-type"] == "text/event-stream"
    )
    assert ("x-ratelimit-limit-requests", "5") in (made.headers or ())


@pytest.mark.parametrize("stream", [False, True])
def test_several_choices_take_several_recordings(stream: bool, tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    recorded = [service.recording(stream, number, seed=number) for number in (0, 1)]
    made = service.replayed(recorded, stream, n=3)
    texts = {0: "", 1: "", 2: ""}
    documents = [document for _, document in placed_documents([content(made)])]
    for document in documents:
        for choice in document["choices"]:
            said = choice.get("delta", choice.get("message"))
            texts[choice["index"]] += said.get("content") or ""
    whole = [
        orjson.loads(content(service.answer(False, seed=seed)))["choices"][0]["message"]["content"]
        for seed in (0, 1)
    ]
    assert list(texts.values()) == [*whole, whole[1]]
    assert documents[-1]["usage"]["completion_tokens"] == 36
    if stream:  # each at its own times
        assert made.due[len(made.due) - 1] == max(one.response.ended for one in recorded)


def test_several_that_were_recorded_together_are_sent_as_they_came(tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    recorded = [service.recording(True), service.recording(True, 1, n=2)]
    made = service.replayed(recorded, True, n=2)
    assert content(made) == recorded[1].response.content


def test_the_form_that_was_asked_for_goes_first(tmp_path: Path) -> None:
    service = Service(tmp_path, "anthropic", "", CLAUDE)
    recorded = [service.recording(True), service.recording(False, 1)]
    for stream, one in zip((True, False), recorded, strict=True):
        assert content(service.replayed(recorded, stream)) == one.response.content


@pytest.mark.parametrize("end", [ResponseEnd.CUT, ResponseEnd.RESET, ResponseEnd.TIMEOUT])
def test_a_stream_that_broke_off_is_no_plain_answer(end: ResponseEnd, tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    whole = service.recording(True)
    response = structs.replace(whole.response, frames=whole.response.frames[:3], end=end)
    made = service.replayed([structs.replace(whole, response=response)], False)
    assert made.ending is ConnectionEnd.UNANSWERED
    assert made.due[0] == whole.response.ended


FAILURES = [
    ("openai_chat", CHAT, {"error": {"message": "Busy", "code": "rate_limit_exceeded"}}, 429),
    ("anthropic", CLAUDE, {"type": "error", "error": {"type": "overloaded_error"}}, 529),
    ("gemini", ANSWERS[-2][2], {"error": {"code": 503, "message": "Busy"}}, 503),
    ("openai_responses", {"model": "gpt-4o", "input": "Hello"},
     {"type": "response.failed", "response": {"error": {"code": "server_error"}}}, 500),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "body", "event", "status"), FAILURES)
def test_a_failure_within_a_stream_is_one_in_place_of_an_answer(
    codec: str, body: dict[str, Any], event: dict[str, Any], status: int, tmp_path: Path
) -> None:
    service = Service(tmp_path, codec, "", body)
    whole = service.recording(True)
    last = RecordedFrame(at=0.3, body=Payload.of(b"data: %b\n\n" % orjson.dumps(event)))
    response = structs.replace(whole.response, frames=[*whole.response.frames[:2], last])
    made = service.replayed([structs.replace(whole, response=response)], False)
    assert made.status == status
    error = event["response"]["error"] if "response" in event else event["error"]
    assert orjson.loads(content(made))["error"] == error


def test_a_failure_is_one_however_it_is_asked_for(tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    whole = service.recording(False)
    frames = [RecordedFrame(at=0.1, body=Payload.of(b'{"error":{}}'))]
    response = structs.replace(whole.response, status=429, frames=frames)
    made = service.replayed([structs.replace(whole, response=response)], True)
    assert (made.status, content(made)) == (429, b'{"error":{}}')
