"""Recordings in other tools' formats, read again where llmsim reads them."""

import json
from pathlib import Path

import pytest

from llmsim.recordings.exports import EXPORTS
from llmsim.recordings.recording import (
    Payload,
    RecordedRequest,
    RecordedResponse,
    RecordedUsage,
    Recording,
)
from llmsim.recordings.rows import row
from llmsim.recordings.traces.formats import read
from tests.recordings.samples import recording

TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
RECORDINGS = [
    recording(0, correlation=TRACE),
    recording(1, b"\xff\x00", response=RecordedResponse(status=500, ended=0.5)),
    recording(2, b"data: {}\n\n"),
]


def exported(name: str, recordings: list[Recording] = RECORDINGS) -> str:
    return "".join(EXPORTS[name](recordings))


@pytest.mark.parametrize("name", ["otel", "mooncake"])
def test_what_is_exported_is_read_as_the_same_rows(name: str, tmp_path: Path) -> None:
    file = tmp_path / "trace"
    file.write_text(exported(name))
    found = list(read(file, name))
    assert len(found) == len(RECORDINGS)
    for seen, one in zip(found, map(row, RECORDINGS), strict=True):
        assert (seen.prompt_tokens, seen.output_tokens) == (one.prompt_tokens, one.output_tokens)
        assert seen.arrived - found[0].arrived == pytest.approx(one.arrived - RECORDINGS[0].arrived)
        if name == "otel":
            assert seen.total == pytest.approx(one.total, abs=1e-6)
            assert (seen.ttft, seen.failed) == (one.ttft, one.failed)


def test_spans_keep_their_parent() -> None:
    spans = json.loads(exported("otel"))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert spans[0]["traceId"] == "0af7651916cd43dd8448eb211c80319c"
    assert spans[0]["parentSpanId"] == "b7ad6b7169203331"
    assert "parentSpanId" not in spans[1]
    assert len({span["spanId"] for span in spans}) == 3


def test_an_archive() -> None:
    entries = json.loads(exported("har"))["log"]["entries"]
    assert [entry["_id"] for entry in entries] == [one.id for one in RECORDINGS]
    first, second, third = entries
    assert first["startedDateTime"] == "2026-09-21T14:13:20.250000Z"
    assert first["request"]["url"] == "http://llmsim.invalid/v1/chat/completions"
    assert first["response"]["content"]["text"] == "data: {}\n\ndata: [DONE]\n\n"
    assert first["timings"] == {"send": 0, "wait": 100.0, "receive": 100.0}
    assert first["time"] == 200.0
    assert second["response"]["status"] == 500
    assert third["_frames"] == [{"at": 100.0, "size": 10, "tokens": 1}]


def test_bytes_that_are_no_text_are_base64_in_an_archive() -> None:
    (entry,) = json.loads(exported("har", [recording(0, b"\xff\x00")]))["log"]["entries"]
    assert entry["response"]["content"]["encoding"] == "base64"


def test_nothing_is_a_document_too() -> None:
    assert json.loads(exported("har", []))["log"]["entries"] == []
    assert json.loads(exported("otel", []))
    assert exported("mooncake", []) == ""


def test_prompts_that_begin_the_same_share_blocks() -> None:
    def asked(text: str, tokens: int) -> Recording:
        body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
        request = RecordedRequest(path="/", body=Payload.of(body))
        return recording(0, request=request, usage=RecordedUsage(prompt=tokens))

    beginning = "The same words. " * 256
    lines = exported(
        "mooncake",
        [
            asked(beginning + "a" * 4096, 2048),
            asked(beginning + "b" * 4096, 2048),
            asked("c" * 8192, 2048),
        ],
    ).splitlines()
    one, other, third = (json.loads(line)["hash_ids"] for line in lines)
    assert len(one) == 4
    assert one[0] == other[0]
    assert one[-1] != other[-1]
    assert not set(one) & set(third)
