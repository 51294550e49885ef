"""Recordings as lines."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.recordings.lines import LineError, from_line, schema, to_line
from llmsim.recordings.recording import Payload, Recording
from tests.recordings.samples import recording


@given(st.binary(max_size=200))
def test_every_bytes_come_back(content: bytes) -> None:
    assert Payload.of(content).content == content


@pytest.mark.parametrize(
    "one", [recording(), recording(1, b"\xff\xfe", b""), recording(2, usage=None, model="")]
)
def test_a_recording_comes_back_from_its_line(one: Recording) -> None:
    line = to_line(one)
    assert line.startswith(b'{"version":1,"id":')
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert from_line(line) == one
    jsonschema.validate(json.loads(line), schema())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "truncated"),
        (to_line(recording())[:-20], "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"version":1}', "required field `id`"),
        (to_line(recording()).replace(b'"version":1', b'"version":2'), "version 2 is not known"),
        (b'{"version":7,"other":1}', "version 7 is not known"),
        (to_line(recording()).replace(b'"status":200', b'"status":"x"'), "response.status"),
    ],
)
def test_what_is_no_recording_says_why(line: bytes, message: str) -> None:
    with pytest.raises(LineError, match=message):
        from_line(line)
