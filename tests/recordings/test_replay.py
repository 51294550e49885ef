"""Recordings as answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from llmsim.core import ConnectionEnd, Plan, Stamp
from llmsim.core.mocks.replay import ReplaySettings
from llmsim.pipeline.steps.replay import Asked
from llmsim.recordings.anonymise.anonymiser import AnonymiseRules
from llmsim.recordings.anonymise.exchange import anonymised
from llmsim.recordings.ids import ids
from llmsim.recordings.lines import to_line
from llmsim.recordings.played import Played
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    RecordedUsage,
    Recording,
    ResponseEnd,
)
from llmsim.recordings.replay import Answers, loaded
from tests.recordings.samples import recording

STAMP = Stamp("0123456789abcdef0123456789", 1_790_000_000)
KEEP = ReplaySettings(ids="keep")


def body(text: str, **more: Any) -> bytes:
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": "gpt-4o", "messages": messages} | more).encode()


def asked(text: str, number: int = 0, **fields: Any) -> Recording:
    request = RecordedRequest(path="/v1/chat/completions", body=Payload.of(body(text)))
    return recording(number, request=request, **fields)


def chat(content: bytes, stream: bool = True, choices: int = 1) -> Asked:
    return Asked("openai", "openai_chat", "gpt-4o", stream, choices, content)


def found(answers: Answers, content: bytes) -> int:
    matching = answers.find(chat(content))
    return matching.count if matching else 0


def played(one: Recording, settings: ReplaySettings = KEEP) -> Plan:
    renewed = ids(one) if settings.ids == "fresh" else None
    return Played(one, renewed, settings.speed).plan(STAMP)


def test_answers_to_the_same_request_come_in_the_order_they_were_given() -> None:
    answers = Answers([asked("Hi", 2), asked("Ho", 1), asked("Hi", 0)], KEEP)
    matching = answers.find(chat(body("Hi", stream=True, seed=7)))
    assert matching is not None
    assert [one.id for one in matching.recordings] == ["rec_0000", "rec_0002"]
    assert (matching.taken, matching.converts) == (1, False)
    assert found(answers, body("Hey")) == 0
    assert answers.total == 3


def test_other_paths_of_an_endpoint_have_the_same_answers() -> None:
    request = RecordedRequest(path="/openai/v1/chat/completions", body=Payload.of(body("Hi")))
    assert found(Answers([recording(0, request=request)], KEEP), body("Hi")) == 1


def test_a_stream_is_sent_as_it_came() -> None:
    one = recording(0, b"data: 1\n", b"\n", usage=RecordedUsage(prompt=3, completion=7))
    plan = played(one, ReplaySettings(ids="keep", speed=2))
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
    plan = played(recording(0, response=response, stream=False))
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
    plan = played(recording(0, response=response))
    assert plan.ending is ending
    assert plan.due[len(plan.due) - 1] == 0.9
    assert len(plan.due) == len(plan.frames)


def test_a_client_that_left_has_left_nothing_to_replay() -> None:
    response = RecordedResponse(status=200, end=ResponseEnd.LEFT)
    assert Answers([recording(0, response=response)], KEEP).total == 0


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
    message = answers.miss(chat(body("What is the whether?")))
    assert (
        "The nearest is rec_0001: messages[0].content: recorded 'What is the weather?'" in message
    )
    assert "no recordings" in Answers([], KEEP).miss(chat(b""))


def test_other_forms_of_an_answer_are_made_of_what_is_there() -> None:
    one = asked("Hi")
    three = RecordedRequest(path="/v1/chat/completions", body=Payload.of(body("Hi", n=3)))
    answers = Answers([one, recording(1, request=three)], KEEP)
    forms = {
        (True, 1): ("rec_0000", 1, False),
        (False, 1): ("rec_0000", 1, True),
        (True, 2): ("rec_0000", 2, True),
        (True, 3): ("rec_0001", 1, False),
    }
    for (stream, choices), expected in forms.items():
        matching = answers.find(chat(body("Hi"), stream, choices))
        assert matching is not None
        assert (matching.recordings[0].id, matching.taken, matching.converts) == expected


def test_a_recording_is_found_by_its_id() -> None:
    answers = Answers([asked("Hi")], KEEP)
    assert "rec_0000" in answers
    assert answers.one("rec_0000", chat(b"{}")) is not None
    assert answers.one("rec_1", chat(b"{}")) is None


def test_a_folder_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(to_line(asked("Hi")))
    settings = ReplaySettings(str(tmp_path))
    first = loaded(settings)
    assert loaded(settings) is first
    (tmp_path / "b.jsonl").write_bytes(to_line(structs.replace(asked("Ho"), id="other")))
    assert loaded(settings).total == 2
    with pytest.raises(FileNotFoundError):
        loaded(ReplaySettings(str(tmp_path / "none")))
