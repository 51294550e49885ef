"""Anthropic Messages: citations of documents in the prompt."""

from typing import Any

import orjson
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from llmsim.core import Choice, Completion, Finish, Stamp, TextSegment, Usage
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.providers.anthropic.messages.codec import Anthropic
from llmsim.providers.wire import sse

CODEC = Anthropic()
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
EVENT: Any = TypeAdapter(RawMessageStreamEvent)
WORDS = tokenizer("o200k_base").text("Grass is green.", pieces=True)
SAID = Completion((Choice((TextSegment(WORDS),), WORDS.tokens, Finish.STOP),), Usage(9, 4))
TEXT = {"type": "text", "media_type": "text/plain", "data": "Grass is green. The sky is blue."}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}
CONTENT = {"type": "content", "content": [{"type": "text", "text": "First part"}]}


def asked(*sources: dict[str, Any], enabled: bool = True) -> Any:
    documents = [
        {"type": "document", "source": one, "title": "Notes", "citations": {"enabled": enabled}}
        for one in sources
    ]
    content = [*documents, {"type": "text", "text": "What is green?"}]
    messages = [{"role": "user", "content": content}]
    body = {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": messages}
    return CODEC.decode(orjson.dumps(body))


KINDS = [
    (TEXT, "char_location", {"start_char_index": 0, "end_char_index": 15}, "Grass is green."),
    (PDF, "page_location", {"start_page_number": 1, "end_page_number": 2}, None),
    (
        CONTENT,
        "content_block_location",
        {"start_block_index": 0, "end_block_index": 1},
        "First part",
    ),
]


@pytest.mark.parametrize(
    ("source", "kind", "where", "passage"), KINDS, ids=["text", "pdf", "content"]
)
def test_each_kind_of_document_is_cited_where_it_says(
    source: dict[str, Any], kind: str, where: dict[str, int], passage: str | None
) -> None:
    answer = CODEC.plain(asked(source), SAID, STAMP)
    Message.model_validate_json(answer)
    [block] = orjson.loads(answer)["content"]
    [citation] = block["citations"]
    assert citation["type"] == kind
    assert citation.items() >= {**where, "document_index": 0, "document_title": "Notes"}.items()
    assert citation["cited_text"] == passage or passage is None


def test_a_stream_has_the_same_citations() -> None:
    request = asked(TEXT, CONTENT)
    script = CODEC.script(request, SAID, STAMP)
    body = b"".join(script.frames[index] for index in range(len(script.frames)))
    events = [orjson.loads(data) for data in sse.messages(body)]
    for event in events:
        if event["type"] != "ping":
            EVENT.validate_python(event)
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    streamed = [delta["citation"] for delta in deltas if delta["type"] == "citations_delta"]
    [block] = orjson.loads(CODEC.plain(request, SAID, STAMP))["content"]
    assert streamed == block["citations"]
    assert [one["document_index"] for one in streamed] == [0, 1]


def test_nothing_is_cited_unless_asked_for() -> None:
    [block] = orjson.loads(CODEC.plain(asked(TEXT, enabled=False), SAID, STAMP))["content"]
    assert block.get("citations") is None
