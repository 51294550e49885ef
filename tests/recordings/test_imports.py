"""Recordings out of archives and traces."""

import json
from typing import Any

import pytest

from llmsim.engine.tokens.ranks import encoding
from llmsim.recordings.exports.har import har
from llmsim.recordings.generated import pieces, prompt, words
from llmsim.recordings.imports import from_har, from_rows
from llmsim.recordings.rows import row
from llmsim.recordings.traces.row import TraceError, TraceRow
from tests.recordings.samples import recording


def tokens(text: str) -> int:
    return len(encoding("o200k_base").encode_ordinary(text))


def test_an_archive_of_ones_own_comes_back() -> None:
    recordings = [recording(0), recording(1, b"\xff\x00", stream=False)]
    (one, other) = from_har(json.loads("".join(har(recordings))), "x.har")
    assert one.request.body == recordings[0].request.body
    for made, before in zip((one, other), recordings, strict=True):
        assert made.response.content == before.response.content
        assert [frame.at for frame in made.response.frames] == [
            frame.at for frame in before.response.frames
        ]
        assert made.arrived == pytest.approx(before.arrived)
        assert (made.provider, made.model) == ("openai", "gpt-4o")
    assert one.id != other.id


ENTRY = {
    "startedDateTime": "2026-11-30T12:00:00.000Z",
    "request": {"method": "POST", "url": "https://api.anthropic.com/v1/messages", "headers": []},
    "response": {"status": 200, "headers": [], "content": {"text": '{"usage":{"input_tokens":3}}'}},
    "timings": {"wait": 100, "receive": 50},
}


def test_a_browsers_archive_has_one_frame_at_the_end() -> None:
    (one,) = from_har({"log": {"entries": [ENTRY]}}, "x.har")
    assert one.provider == "anthropic"
    assert [frame.at for frame in one.response.frames] == [0.15]
    assert one.usage is not None
    assert one.usage.prompt == 3


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "x.har: no log.entries"),
        ({"log": {"entries": [{}]}}, r"log.entries\[0\]: no 'request'"),
        ({"log": {"entries": [ENTRY | {"startedDateTime": "x"}]}}, r"log.entries\[0\]: Invalid"),
    ],
)
def test_what_is_no_archive(document: Any, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        list(from_har(document, "x.har"))


ROW = TraceRow(
    arrived=5.0,
    model="m",
    prompt_tokens=100,
    cached_tokens=20,
    output_tokens=6,
    ttft=0.2,
    total=1.0,
    gaps=(0.1, 0.3),
    gap_tokens=(2, 3),
    in_flight=4,
)


def test_a_row_comes_back_from_its_recording() -> None:
    (one,) = from_rows([ROW])
    seen = row(one)
    assert (seen.arrived, seen.model, seen.in_flight) == (5.0, "m", 4)
    assert (seen.prompt_tokens, seen.cached_tokens, seen.output_tokens) == (100, 20, 6)
    assert (seen.ttft, seen.total) == (0.2, 1.0)
    assert seen.gaps == pytest.approx(ROW.gaps)
    assert seen.gap_tokens == ROW.gap_tokens
    assert one.correlation == {"generated": "text"}
    body = json.loads(one.request.body.content)
    assert tokens(body["messages"][0]["content"]) == pytest.approx(100, abs=3)


def test_words_that_are_known_are_said() -> None:
    messages = ({"role": "user", "content": "Hello"},)
    known = TraceRow(
        arrived=0, messages=messages, answer="Hi there, you.", output_tokens=4, total=1
    )
    (one,) = from_rows([known])
    assert json.loads(one.request.body.content)["messages"] == list(messages)
    assert b"Hi there, you." in one.response.content
    assert not one.correlation


def test_a_row_that_failed_is_a_failure() -> None:
    (one,) = from_rows([TraceRow(arrived=0, failed=True, total=0.5)])
    assert (one.response.status, one.response.ended) == (500, 0.5)
    assert row(one).failed


def test_prompts_share_what_their_blocks_share() -> None:
    def asked(*names: int) -> str:
        return prompt(TraceRow(arrived=0, prompt_tokens=40, hash_ids=names, block=16), 1)

    one, other = asked(1, 2, 3), asked(1, 2, 9)
    shared = len(f"{words(16, 1)} {words(16, 2)}")
    assert one[:shared] == other[:shared]
    assert one != other
    assert tokens(one) == pytest.approx(40, abs=4)


@pytest.mark.parametrize("answer", ["", "a b c d e f", "one"])
def test_pieces_are_the_whole_answer(answer: str) -> None:
    said = TraceRow(arrived=0, answer=answer, gaps=(0.1,) * 3, gap_tokens=(2, 1, 2))
    made = pieces(said, 7)
    assert len(made) == 4
    assert "".join(made) == (answer or words(6, 7))
