"""Values planted everywhere at once, and answers cut anywhere: none is in any file or log."""

import json
import logging
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmsim.proxy.recorder import Recorder
from llmsim.recordings import folder
from llmsim.recordings.anonymise.anonymiser import AnonymiseRules
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
)
from llmsim.recordings.writer import RecordingWriter
from tests.recordings.anonymise.corpus import MAKERS
from tests.recordings.anonymise.test_exchange import STREAMS, plain_text
from tests.recordings.samples import recording

CREDENTIALS = ("key", "google", "aws", "github", "slack", "hf", "stripe", "jwt")
PERSONAL = ("email", "card", "iban")
BEFORE = len("It is ")
PREFIX, TELLING = 13, 8
"""Of a key, what tells whose it is stays; so many characters after it would tell the key."""

MODES = [("credentials", CREDENTIALS), ("standard", (*CREDENTIALS, *PERSONAL))]


def planted(value: str, body: bytes, ends: list[int]) -> Recording:
    """An exchange with the value in all places, whose answer came in frames that end there."""
    call = {"function": {"name": "f", "arguments": json.dumps({"to": value, "n": 1})}}
    asked = {
        "model": "m",
        "messages": [
            {"role": "system", "content": f"Use {value}."},
            {"role": "user", "content": [{"type": "text", "text": f"I have {value}, you know."}]},
            {"role": "assistant", "tool_calls": [call]},
        ],
    }
    headers = [("authorization", f"Bearer {value}"), ("x-note", f"see {value}"), ("cookie", value)]
    request = RecordedRequest(
        path="/v1/chat/completions",
        query=f"key={value}&q=about+{value}",
        headers=headers,
        body=Payload.of(json.dumps(asked).encode()),
    )
    borders = [0, *sorted(set(ends) - {0, len(body)}), len(body)]
    frames = [
        RecordedFrame(at=0.1, body=Payload.of(body[begin:end])) for begin, end in pairwise(borders)
    ]
    response = RecordedResponse(status=200, headers=[("x-echo", value)], frames=frames, ended=0.2)
    return recording(0, request=request, response=response, correlation={"x-request-id": value})


def answer(stream: Any, value: str, cuts: list[int]) -> bytes:
    """What says the value, in as many events as it is cut into."""
    text = f"It is {value}, I think."
    borders = [0, *sorted(set(cuts)), len(text)]
    pieces = [text[begin:end] for begin, end in pairwise(borders) if end > begin]
    return b"".join(stream(piece) for piece in pieces)


def kept(folder_: Path, mode: str, *recordings: Recording) -> bytes:
    """All bytes of all files that are written of these."""
    recorder = Recorder(RecordingWriter(folder_), AnonymiseRules(mode))
    for one in recordings:
        recorder.record(one)
    recorder.close()
    assert recorder.written == len(recordings)
    read = b"".join(folder.opened(file).read() for file in folder.files(folder_))
    every = b"".join(file.read_bytes() for file in folder_.iterdir())
    said = b"".join(one.response.content for one in folder.recordings(folder_))
    return read + every + said


@pytest.mark.parametrize(("mode", "kinds"), MODES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_nothing_planted_is_in_any_file_or_log(
    mode: str, kinds: tuple[str, ...], caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    value = MAKERS[data.draw(st.sampled_from(kinds))](Random(data.draw(st.integers(0, 2**32))))
    stream = data.draw(st.sampled_from(STREAMS))
    cuts = data.draw(st.lists(st.integers(1, len(value) + 5), max_size=4))
    body = answer(stream, value, cuts)
    ends = data.draw(st.lists(st.integers(0, len(body)), max_size=6))
    with caplog.at_level(logging.DEBUG), TemporaryDirectory() as name:
        found = kept(Path(name), mode, planted(value, body, ends))
    assert value.encode() not in found
    assert value not in caplog.text
    for begin, end in pairwise([0, *sorted({max(cut - BEFORE, 0) for cut in cuts}), len(value)]):
        if end - max(begin, PREFIX) >= TELLING:
            assert value[begin:end].encode() not in found


@pytest.mark.parametrize("stream", [STREAMS[0], STREAMS[3], STREAMS[4], plain_text])
def test_frames_that_end_at_each_byte(stream: Any, tmp_path: Path) -> None:
    value = MAKERS["key"](Random(7))
    body = answer(stream, value, [20])
    every = [planted(value, body, [end]) for end in range(1, len(body))]
    assert value.encode() not in kept(tmp_path, "credentials", *every)
