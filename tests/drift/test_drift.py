"""Where llmsim's answers have another shape than recorded ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec import structs

from llmsim.cli import main
from llmsim.config import Config
from llmsim.drift.asking import OwnAnswers
from llmsim.drift.comparison import DriftReport, compare
from llmsim.recordings.lines import to_line
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    Recording,
    ResponseEnd,
)
from tests.recordings.conversion.service import ANSWERS, CHAT, CLAUDE, Service

NAMES = [f"{codec} {place}" for place, (codec, _, _) in enumerate(ANSWERS)]


def with_headers(one: Recording, *names: str) -> Recording:
    """The recording with the head that llmsim gives it, and more."""
    answer = OwnAnswers(Config()).answer(one)
    assert answer is not None
    headers = [*answer.headers, *((name, "x") for name in names)]
    return structs.replace(one, response=structs.replace(one.response, headers=headers))


def edited(one: Recording, edit: Callable[[str], str]) -> Recording:
    """The recording with other bytes in its answer."""
    frames = [
        structs.replace(frame, body=Payload(text=edit(frame.body.text)))
        for frame in one.response.frames
    ]
    return structs.replace(one, response=structs.replace(one.response, frames=frames))


def found(*recordings: Recording, ignored: tuple[str, ...] = ()) -> DriftReport:
    return compare(recordings, OwnAnswers(Config()), ignored)


def drifts(
    *recordings: Recording, ignored: tuple[str, ...] = ()
) -> list[tuple[str, str, str, str]]:
    return [
        (one.kind, one.place, one.recorded, one.llmsim)
        for endpoint in found(*recordings, ignored=ignored).endpoints
        for one in endpoint.drifts
    ]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("codec", "text", "body"), ANSWERS, ids=NAMES)
def test_llmsim_does_not_drift_from_itself(
    codec: str, text: str, body: dict[str, Any], stream: bool, tmp_path: Path
) -> None:
    """Whatever the answer was: words, calls, refusals, reasoning, several choices."""
    recorded = with_headers(Service(tmp_path, codec, text, body).recording(stream))
    assert drifts(recorded) == []
    assert found(recorded).compared == 1


CHANGES = [
    ("a field", '"finish_reason":null', '"finish_reason":null,"mood":{"of":"day"}',
     [("field", "chat.completion.chunk choices[].mood", "object", "")]),
    ("a missing field", '"system_fingerprint":"fp_00ef0e029f",', "",
     [("field", "chat.completion.chunk system_fingerprint", "", "string")]),
    ("a type", '"index":0', '"index":"0"',
     [("type", "chat.completion.chunk choices[].index", "string", "number")]),
    ("null", '"service_tier":"default"', '"service_tier":null', []),
    ("a value", "gpt-4o", "gpt-4o-2024-08-06", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES]
)
def test_fields_and_types(
    old: str, new: str, expected: list[tuple[str, str, str, str]], tmp_path: Path
) -> None:
    recorded = with_headers(Service(tmp_path, "openai_chat", "", CHAT).recording(True))
    assert drifts(edited(recorded, lambda text: text.replace(old, new))) == expected


def test_events_and_their_order(tmp_path: Path) -> None:
    recorded = with_headers(Service(tmp_path, "anthropic", "", CLAUDE).recording(True))
    frames = recorded.response.frames
    more = RecordedFrame(at=1, body=Payload(text='event: mood\ndata: {"type":"mood"}\n\n'))
    response = structs.replace(recorded.response, frames=[*frames, more])
    event, order = drifts(structs.replace(recorded, response=response))
    assert event == ("event", "mood", "mood", "")
    assert order[0] == "order"
    assert order[2] == order[3] + " mood"
    assert order[3].startswith("message_start content_block_start content_block_delta")


def test_headers_but_those_of_whoever_stands_in_front(tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    recorded = with_headers(service.recording(False), "openai-mood", "cf-ray", "date")
    assert drifts(recorded) == [("header", "openai-mood", "openai-mood", "")]
    assert drifts(recorded, ignored=("header:openai-*",)) == []


def test_what_llmsim_refuses(tmp_path: Path) -> None:
    recorded = Service(tmp_path, "openai_chat", "", CHAT).recording(False)
    request = structs.replace(recorded.request, body=Payload(text='{"model":"gpt-4o"}'))
    ((kind, place, status, own),) = drifts(structs.replace(recorded, request=request))
    assert (kind, place, status) == ("status", "200", "200")
    assert own.startswith("400: ")


def test_failures_have_a_shape_too(tmp_path: Path) -> None:
    recorded = Service(tmp_path, "openai_chat", "", CHAT).recording(False)
    body = '{"error":{"message":"Busy","type":"requests","param":null,"code":"x","hint":"wait"}}'
    frames = [RecordedFrame(at=0.1, body=Payload(text=body))]
    response = structs.replace(recorded.response, status=429, frames=frames)
    recorded = with_headers(structs.replace(recorded, response=response))
    assert drifts(recorded) == [("field", "body error.hint", "string", "")]


def test_what_cannot_be_compared_is_counted(tmp_path: Path) -> None:
    one = Service(tmp_path, "openai_chat", "", CHAT).recording(True)
    cut = structs.replace(one.response, frames=one.response.frames[:2], end=ResponseEnd.CUT)
    failed = RecordedFrame(at=1, body=Payload(text='data: {"error":{"message":"x"}}\n\n'))
    response = structs.replace(one.response, frames=[*one.response.frames[:2], failed])
    report = found(
        structs.replace(one, request=structs.replace(one.request, method="GET")),
        structs.replace(one, request=structs.replace(one.request, path="/v1/none")),
        structs.replace(one, response=cut),
        structs.replace(one, response=response),
    )
    assert report.compared == 0
    assert report.left_out == {
        "GET requests": 1, "broken off": 1, "failed within the stream": 1,
        "no endpoint /v1/none": 1,
    }  # fmt: skip


def test_the_command(tmp_path: Path) -> None:
    recorded = with_headers(Service(tmp_path, "openai_chat", "", CHAT).recording(True))
    kept = tmp_path / "recordings"
    kept.mkdir()
    file = kept / "a.jsonl"

    def run(*args: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["drift", str(kept), *args])
        return result.exit_code, result.stdout

    assert run()[0] == 2
    file.write_bytes(to_line(recorded))
    code, text = run()
    assert (code, "/v1/chat/completions, streamed (1 recordings): no drift" in text) == (0, True)
    file.write_bytes(to_line(edited(recorded, lambda one: one.replace('"index"', '"place"'))))
    code, text = run()
    assert code == 1
    assert "field   chat.completion.chunk choices[].place: number only recorded (1, such as" in text
    code, text = run("--json")
    (endpoint,) = json.loads(text)["endpoints"]
    assert code == 1
    assert {one["kind"] for one in endpoint["drifts"]} == {"field"}
    assert run("--ignore", "field:* choices*")[0] == 0
