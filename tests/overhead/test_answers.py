"""When an answer's text came, in how many reads, and what was wrong with it."""

import json
from typing import Any

import pytest

from llmsim.overhead.answers import SeenAnswer, events, seen
from llmsim.overhead.dialects import DIALECTS
from llmsim.overhead.load_client import RawAnswer
from tests.overhead.made import ID


def chunk(event: dict[str, Any], name: str = "") -> bytes:
    before = f"event: {name}\n" if name else ""
    return f"{before}data: {json.dumps(event)}\n\n".encode()


def chat(content: str) -> bytes:
    return chunk({"id": f"chatcmpl-LMs{ID}", "choices": [{"delta": {"content": content}}]})


STREAMS = {
    "openai_chat": [chat(""), chat("a"), chat(" b"), b"data: [DONE]\n\n"],
    "openai_responses": [
        chunk({"type": "response.created", "response": {"id": f"resp_{ID}"}}, "response.created"),
        *(
            chunk(
                {"type": "response.output_text.delta", "delta": text}, "response.output_text.delta"
            )
            for text in ("a", " b")
        ),
        chunk({"type": "response.completed"}, "response.completed"),
    ],
    "anthropic": [
        chunk({"type": "message_start", "message": {"id": f"msg_{ID}"}}, "message_start"),
        *(
            chunk({"type": "content_block_delta", "delta": {"text": text}}, "content_block_delta")
            for text in ("a", " b")
        ),
        chunk({"type": "message_stop"}, "message_stop"),
    ],
    "gemini": [
        chunk({"responseId": ID, "candidates": []}),
        chunk({"candidates": [{"content": {"parts": [{"text": "a"}]}}]}),
        chunk({"candidates": [{"content": {"parts": [{"text": " b"}]}, "finishReason": "STOP"}]}),
    ],
}
PLAIN = {
    "openai_chat": {"choices": [{"message": {"content": "a b"}}]},
    "openai_responses": {"output": [{"content": [{"text": "a b"}]}]},
    "anthropic": {"content": [{"type": "text", "text": "a b"}]},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "a b"}]}}]},
}


def answer(pieces: list[bytes], status: int = 200, stream: bool = True) -> RawAnswer:
    """An answer whose pieces came at 1, 2, 3 … and were read half a second later."""
    made = RawAnswer(number=3, due=0.25, sent=0.5)
    head = f"HTTP/1.1 {status} OK\r\nx-request-id: req_{ID}\r\ntransfer-encoding: chunked\r\n\r\n"
    made.response.feed(head.encode(), 0.9, 0.9)
    for at, piece in enumerate(pieces, 1):
        made.response.feed(b"%x\r\n%b\r\n" % (len(piece), piece), float(at), at + 0.5)
    made.response.feed(b"0\r\n\r\n", len(pieces) + 1.0, len(pieces) + 1.0)
    return made


def look(name: str, pieces: list[bytes], status: int = 200, stream: bool = True) -> SeenAnswer:
    return seen(answer(pieces, status), DIALECTS[name], stream)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_has_its_text_at_its_times(name: str) -> None:
    pieces = STREAMS[name]
    found = look(name, pieces)
    assert found.error is None
    assert (found.head, found.first, found.last) == (0.9, 2.0, 3.0)
    assert (found.before_last, found.end) == (2.0, len(pieces) + 1.0)
    assert (found.text_events, found.text_reads) == (2, 2)
    assert (found.first_events, found.last_events) == (1, 1)
    assert (found.late, found.waited) == (0.5, 0.25)
    assert found.marks == (ID,)


@pytest.mark.parametrize("name", DIALECTS)
def test_text_that_comes_together_is_one_read(name: str) -> None:
    first, a, b, *rest = STREAMS[name]
    found = look(name, [first, a + b, *rest])
    assert (found.text_events, found.text_reads) == (2, 1)
    assert (found.first_events, found.last_events, found.before_last) == (2, 2, 0.0)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_stream_without_its_end_is_an_error(name: str) -> None:
    cut = STREAMS[name][:-1]
    assert look(name, cut).error == "stream without its end"


@pytest.mark.parametrize("name", DIALECTS)
def test_plain_answers_are_there_at_once(name: str) -> None:
    found = look(name, [json.dumps(PLAIN[name]).encode()], stream=False)
    assert (found.error, found.first, found.last, found.end) == (None, 2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("pieces", "status", "stream", "error"),
    [
        ([b"busy"], 503, True, "status 503"),
        ([b"nonsense"], 200, False, "not an answer of this API"),
        ([b"{}"], 200, False, "not an answer of this API"),
        ([json.dumps({"choices": []}).encode()], 200, False, "no text"),
        ([b"data: [DONE]\n\n"], 200, True, "no text"),
        ([chat("a"), chunk({"error": {"message": "x"}})], 200, True, "error in the stream"),
    ],
)
def test_what_is_wrong_has_a_name(
    pieces: list[bytes], status: int, stream: bool, error: str
) -> None:
    assert look("openai_chat", pieces, status, stream).error == error


def test_an_answer_that_never_came_keeps_its_error() -> None:
    lost = RawAnswer(number=1, due=0.0, ended=7.0, error="timeout")
    found = seen(lost, DIALECTS["openai_chat"], True)
    assert (found.error, found.status, found.end) == ("timeout", 0, 7.0)


def test_events_are_found_however_lines_end() -> None:
    body = b": ping\n\nevent: a\r\ndata: {\r\ndata: }\r\n\r\ndata: x\n\n"
    assert [(one.kind, one.data) for one in events(body)] == [("a", {}), ("x", "x")]
