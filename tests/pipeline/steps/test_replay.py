"""Requests get recorded answers: after all that may decide before, in their order."""

from pathlib import Path

import orjson
import pytest

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
