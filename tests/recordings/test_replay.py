"""Recordings as answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from llmsim.core import ConnectionEnd, Stamp
from llmsim.core.mocks.replay import ReplaySettings
from llmsim.recordings.anonymise.anonymiser import AnonymiseRules
from llmsim.recordings.anonymise.exchange import anonymised
from llmsim.recordings.lines import to_line
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    RecordedUsage,
    Recording,
    ResponseEnd,
)
from llmsim.recordings.replay import Answers, fresh, loaded, planned, with_id
from tests.recordings.samples import recording

STAMP = Stamp("0123456789abcdef0123456789", 1_790_000_000)
KEEP = ReplaySettings(ids="keep")


def body(text: str, **more: Any) -> bytes:
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": "gpt-4o", "messages": messages} | more).encode()


def asked(text: str, number: int = 0, **fields: Any) -> Recording:
    request = RecordedRequest(path="/v1/chat/completions", body=Payload.of(body(text)))
    return recording(number, request=request, **fields)


def found(answers: Answers, content: bytes) -> int:
    return answers.count(answers.key("openai", "openai_chat", "gpt-4o", True, content))


def test_answers_to_the_same_request_come_in_the_order_they_were_given() -> None:
    answers = Answers([asked("Hi", 2), asked("Ho", 1), asked("Hi", 0)], KEEP)
    key = answers.key("openai", "openai_chat", "gpt-4o", True, body("Hi", stream=True, seed=7))
    assert answers.count(key) == 2
    assert [answers.plan(key, place, STAMP)[0] for place in (0, 1)] == ["rec_0000", "rec_0002"]
    assert found(answers, body("Hey")) == 0
    assert answers.total == 3


def test_other_paths_of_an_endpoint_have_the_same_answers() -> None:
    request = RecordedRequest(path="/openai/v1/chat/completions", body=Payload.of(body("Hi")))
    assert found(Answers([recording(0, request=request)], KEEP), body("Hi")) == 1


def test_a_stream_is_sent_as_it_came() -> None:
    one = recording(0, b"data: 1\n", b"\n", usage=RecordedUsage(prompt=3, completion=7))
    plan = planned(one, ReplaySettings(ids="keep", speed=2), STAMP)
    assert [plan.frames[place] for place in range(len(plan.frames))] == [b"data: 1\n", b"\n"]
    assert plan.due[:].tolist() == pytest.approx([0.05, 0.1])
    assert (plan.status, plan.stream, plan.ttft) == (200, True, 0.05)
    assert plan.headers == [("content-type", "text/event-stream")]
    assert plan.completion is not None
    assert (plan.completion.usage.prompt, plan.completion.usage.completion) == (3, 7)


def test_a_plain_answer_is_one_frame_when_it_had_come_whole() -> None:
    response = RecordedResponse(
        status=429,
        headers=[("retry-after", "7"), ("content-length", "4"), ("date", "x")],
        frames=[RecordedFrame(at=0.1, body=Payload.of(b"{ ")), RecordedFrame(at=0.2)],
        ended=0.3,
    )
    plan = planned(recording(0, response=response, stream=False), KEEP, STAMP)
    assert (plan.status, plan.frames[0], plan.total, plan.stream) == (429, b"{ ", 0.3, False)
    assert plan.headers == [("retry-after", "7"), ("content-type", "application/json")]


@pytest.mark.parametrize(
    ("end", "ending"),
    [
        (ResponseEnd.CUT, ConnectionEnd.CUT),
        (ResponseEnd.TIMEOUT, ConnectionEnd.CUT),
        (ResponseEnd.RESET, ConnectionEnd.RESET),
        (ResponseEnd.UNANSWERED, ConnectionEnd.UNANSWERED),
    ],
)
def test_an_answer_that_broke_off_breaks_off_when_it_did(
    end: ResponseEnd, ending: ConnectionEnd
) -> None:
    frames = [RecordedFrame(at=0.1, body=Payload.of(b"a"))] if end is ResponseEnd.CUT else []
    response = RecordedResponse(status=200, frames=frames, end=end, ended=0.9)
    plan = planned(recording(0, response=response), KEEP, STAMP)
    assert plan.ending is ending
    assert plan.due[len(plan.due) - 1] == 0.9
    assert len(plan.due) == len(plan.frames)


def test_a_client_that_left_has_left_nothing_to_replay() -> None:
    response = RecordedResponse(status=200, end=ResponseEnd.LEFT)
    assert Answers([recording(0, response=response)], KEEP).total == 0


def test_ids_are_fresh_and_of_the_same_form() -> None:
    name = "chatcmpl-BkW3kq8sZ1yPp0a7c9LmN2xQ4vT6u"
    frames = [f'data: {{"id":"{name[:15]}'.encode(), f'{name[15:]}"}}\n\n'.encode()]
    one = recording(0, *frames, correlation={"answer": name})
    plan = planned(one, ReplaySettings(), STAMP)
    made = plan.frames.join(0, 2).decode()
    assert name not in made
    assert made.startswith('data: {"id":"chatcmpl-0123456789abcdef')
    assert [len(plan.frames[place]) for place in (0, 1)] == list(map(len, frames))
    kept = planned(one, KEEP, STAMP)
    assert kept.frames.join(0, 2) == b"".join(frames)


def test_forms_of_ids() -> None:
    assert fresh("msg_01AbC", STAMP) == "msg_01234"
    assert fresh("plain", STAMP) == "01234"
    assert len(fresh("resp_" + "a" * 60, STAMP)) == 65
    assert with_id([b"xab", b"cy"], "abc", "ABC") == [b"xAB", b"Cy"]


def test_a_recording_that_is_anonymised_answers_what_is_asked_in_clear() -> None:
    made, _ = anonymised(asked("I am ann@corp.io, call +1 415-555-2671."), AnonymiseRules())
    answers = Answers([made], KEEP)
    assert answers.lengthy
    assert found(answers, body("I am ann@corp.io, call +1 415-555-2671.")) == 1
    assert found(answers, body("I am bob@corp.io, call +1 415-555-2671.")) == 1
    assert found(answers, body("I am ann, call +1 415-555-2671.")) == 0


def test_what_counts_can_be_chosen() -> None:
    recorded = [asked("Hi")]
    also = ReplaySettings(match_also=("temperature",))
    assert found(Answers(recorded, KEEP), body("Hi", temperature=1)) == 1
    assert found(Answers(recorded, also), body("Hi", temperature=1)) == 0
    never = ReplaySettings(match_never=("messages",))
    assert found(Answers(recorded, never), body("Ho")) == 1


def test_a_miss_names_the_nearest_and_in_what_it_differs() -> None:
    answers = Answers([asked("Tell me a story."), asked("What is the weather?", 1)], KEEP)
    message = answers.miss("openai", "openai_chat", "gpt-4o", True, body("What is the whether?"))
    assert (
        "The nearest is rec_0001: messages[0].content: recorded 'What is the weather?'" in message
    )
    assert "no recordings" in Answers([], KEEP).miss("openai", "openai_chat", "m", True, b"")


def test_an_answer_that_was_streamed_is_none_to_a_request_for_a_plain_one() -> None:
    answers = Answers([asked("Hi")], KEEP)
    assert answers.count(answers.key("openai", "openai_chat", "gpt-4o", False, body("Hi"))) == 0
    message = answers.miss("openai", "openai_chat", "gpt-4o", False, body("Hi"))
    assert message == "The answer to this request was recorded as a stream, not plain."


def test_a_folder_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(to_line(asked("Hi")))
    settings = ReplaySettings(str(tmp_path))
    first = loaded(settings)
    assert loaded(settings) is first
    (tmp_path / "b.jsonl").write_bytes(to_line(structs.replace(asked("Ho"), id="other")))
    assert loaded(settings).total == 2
    with pytest.raises(FileNotFoundError):
        loaded(ReplaySettings(str(tmp_path / "none")))
