"""Requests get recorded answers: after all that may decide before, in their order."""

from pathlib import Path

import orjson
import pytest
from msgspec import structs

from llmsim.recordings.lines import to_line
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
)
from tests.pipeline.simulated import Simulated, said
from tests.recordings.samples import recording


def answered(number: int, text: str) -> Recording:
    """The plain answer that says ``text`` to "Hello"."""
    messages = [{"role": "user", "content": "Hello"}]
    body = orjson.dumps({"model": "gpt-4o", "messages": messages})
    said = orjson.dumps({"choices": [{"message": {"content": text}}]})
    frames = [RecordedFrame(at=0.1, body=Payload.of(said))]
    return recording(
        number,
        stream=False,
        request=RecordedRequest(path="/v1/chat/completions", body=Payload.of(body)),
        response=RecordedResponse(status=200, frames=frames, ended=0.5),
    )


def replaying(folder: Path, text: str = "", **settings: str) -> Simulated:
    recordings = folder / "recordings"
    recordings.mkdir()
    (recordings / "a.jsonl").write_bytes(b"".join(to_line(answered(n, f"Hi {n}")) for n in (0, 1)))
    keys = "".join(f", {name}: {value}" for name, value in settings.items())
    return Simulated(folder, f"replay: {{path: {recordings}{keys}}}\n{text}")


def test_in_the_order_they_were_given_and_then_the_last_again(tmp_path: Path) -> None:
    simulated = replaying(tmp_path)
    assert [said(simulated.ask("Hello")) for _ in range(3)] == ["Hi 0", "Hi 1", "Hi 1"]


def test_two_workers_share_the_order(tmp_path: Path) -> None:
    one = replaying(tmp_path)
    other = Simulated(tmp_path, (tmp_path / "llmsim.yaml").read_text(), one.state)
    assert [said(each.ask("Hello")) for each in (one, other)] == ["Hi 0", "Hi 1"]


def test_a_call_knows_which_recording_it_is(tmp_path: Path) -> None:
    simulated = replaying(tmp_path)
    call = simulated.call("Hello")
    assert simulated.plan(call).total == 0.5
    assert call.recording == "rec_0000"


def test_what_was_not_recorded_is_simulated(tmp_path: Path) -> None:
    simulated = replaying(tmp_path, "response: {generator: echo}")
    assert said(simulated.ask("Bye")) == "Bye"


def test_or_fails_and_says_what_is_nearest(tmp_path: Path) -> None:
    simulated = replaying(tmp_path, "on_miss: fail")
    plan = simulated.ask("Bye")
    assert plan.status == 404
    assert "nearest is rec_0000: messages[0].content: recorded 'Hello', asked 'Bye'" in said(plan)


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("mocks: [{response: Mocked.}]", 200, "Mocked."),
        ("errors: {rules: [{model: '*', first: 1, kind: bad_gateway}]}", 502, ""),
        ("rate_limits: [{tokens_per_minute: 1}]", 429, ""),
    ],
)
def test_others_decide_first(tmp_path: Path, text: str, status: int, expected: str) -> None:
    simulated = replaying(tmp_path, text)
    plan = simulated.ask("Hello")
    assert plan.status == status
    assert expected in said(plan)


def test_a_mock_answers_with_a_recording(tmp_path: Path) -> None:
    mocks = "mocks: [{match: {content_equals: Bye}, response: {recording: rec_0001}}]"
    simulated = replaying(tmp_path, mocks)
    call = simulated.call("Bye")
    plan = simulated.plan(call)
    assert (said(plan), plan.total) == ("Hi 1", 0.5)
    assert (call.mock, call.recording) == ("mocks[0]", "rec_0001")
    assert [said(simulated.ask("Hello")) for _ in range(2)] == ["Hi 0", "Hi 1"]


def test_a_mocks_recording_is_a_stream_where_that_is_asked_for(tmp_path: Path) -> None:
    simulated = replaying(tmp_path, "mocks: [{response: {recording: rec_0000}}]")
    plan = simulated.ask("Bye", stream=True)
    assert plan.stream
    content = plan.frames.join(0, len(plan.frames))
    assert b'"delta":{"content":"Hi"}' in content
    assert content.endswith(b"data: [DONE]\n\n")
    assert plan.due[len(plan.due) - 1] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rec_9", "The recording 'rec_9' is none that is replayed."),
        ("rec_0002", "The recording 'rec_0002' cannot answer this request."),
    ],
)
def test_a_mocks_recording_that_is_no_answer(name: str, message: str, tmp_path: Path) -> None:
    response = RecordedResponse(status=200, frames=[RecordedFrame(at=0.1)], ended=0.5)
    empty = structs.replace(answered(2, ""), response=response)
    simulated = replaying(tmp_path)
    (tmp_path / "recordings" / "b.jsonl").write_bytes(to_line(empty))
    text = (tmp_path / "llmsim.yaml").read_text()
    simulated = Simulated(tmp_path, f"{text}mocks: [{{response: {{recording: {name}}}}}]")
    plan = simulated.ask("Bye", stream=True)
    assert (plan.status, said(plan)) == (400, message)
