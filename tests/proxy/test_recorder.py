"""What is written of an exchange."""

import json
import threading
from pathlib import Path

import pytest
from msgspec import structs

from llmsim.proxy.recorder import Recorder, with_tokens
from llmsim.recordings import folder
from llmsim.recordings.anonymise.anonymiser import AnonymiseRules
from llmsim.recordings.recording import Payload, RecordedRequest, Recording, ResponseEnd
from llmsim.recordings.writer import RecordingWriter
from tests.recordings.samples import recording

KEY = "sk-proj-t8Qm3nXw0LrZk5VbYd2J"


def asked(text: str) -> Recording:
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})
    headers = [("authorization", f"Bearer {KEY}"), ("accept", "*/*")]
    request = RecordedRequest(path="/v1/x", headers=headers, body=Payload.of(body.encode()))
    chunk = b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
    return recording(0, chunk, request=request, usage=None)


def written(path: Path, rules: AnonymiseRules | None, *recordings: Recording) -> list[Recording]:
    recorder = Recorder(RecordingWriter(path), rules)
    for one in recordings:
        recorder.record(one)
    recorder.close()
    assert recorder.written == len(recordings)
    return list(folder.recordings(path))


def test_tokens_and_the_answers_id_are_added(tmp_path: Path) -> None:
    (one,) = written(tmp_path, None, asked("Hello"))
    assert [frame.tokens for frame in one.response.frames] == [1]
    assert one.correlation["answer"] == "chatcmpl-1"
    assert len(one.key) == 32


@pytest.mark.parametrize(
    ("last", "end"), [(b"data: [DONE]\n\n", ResponseEnd.WHOLE), (b"data: {}\n\n", ResponseEnd.LEFT)]
)
def test_who_leaves_after_all_was_said_has_the_whole_answer(last: bytes, end: ResponseEnd) -> None:
    one = recording(0, b"data: {}\n\n", last)
    left = structs.replace(one, response=structs.replace(one.response, end=ResponseEnd.LEFT))
    assert with_tokens(left).response.end is end


@pytest.mark.parametrize("rules", [None, AnonymiseRules("credentials"), AnonymiseRules("strict")])
def test_keys_are_never_kept(tmp_path: Path, rules: AnonymiseRules | None) -> None:
    (one,) = written(tmp_path, rules, asked("Hello"))
    assert ("accept", "*/*") in one.request.headers
    assert KEY not in str(one)


def test_what_is_anonymised_has_the_key_of_what_is_asked_in_clear(tmp_path: Path) -> None:
    ann, bob, other = written(
        tmp_path,
        AnonymiseRules(),
        asked("I am ann@corp.io."),
        asked("I am bob@corp.io."),
        asked("I am somebody."),
    )
    assert ann.key == bob.key != other.key
    assert "ann@corp.io" not in str(ann)


def test_what_cannot_wait_is_lost_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    writer = RecordingWriter(tmp_path)
    write = writer.write

    def slow(one: Recording) -> bool:
        go.wait(10)
        return write(one)

    monkeypatch.setattr(writer, "write", slow)
    recorder = Recorder(writer, None, most_waiting=10_000)
    for _ in range(5):
        recorder.record(asked("Hello"))
    go.set()
    recorder.close()
    assert recorder.written == 2
    assert recorder.lost == 3


def test_a_plain_answer_has_no_tokens_of_frames() -> None:
    assert with_tokens(recording(0, b"{}", stream=False)).response.frames[0].tokens == 1
