"""Stored responses: their states, their input, and the answers about them."""

from typing import Any

import orjson
import pytest
from openai._models import validate_type
from openai.types.responses import (
    CompactedResponse,
    InputTokenCountResponse,
    Response,
    ResponseItem,
)

from llmsim.core import Choice, Completion, Finish, GeneratedText, Stamp, TextSegment, Usage
from llmsim.providers.openai.responses import stored
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.openai.responses.encrypted_content import decrypted, encrypted
from llmsim.providers.openai.responses.stored import Status

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
RESPONSES = OpenAIResponses()


def answer() -> bytes:
    request = RESPONSES.decode(orjson.dumps({"model": "gpt-4o", "input": "hi", "background": True}))
    choice = Choice((TextSegment(GeneratedText("Hello.", 2)),), 2, Finish.LENGTH)
    return RESPONSES.plain(request, Completion((choice,), Usage(8, 2)), STAMP)


@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelled"])
def test_a_response_that_has_not_ended(status: Status) -> None:
    shown = orjson.loads(stored.unfinished(answer(), status))
    whole = orjson.loads(answer())
    assert validate_type(type_=Response, value=shown).status == status
    changed = {key for key in whole if whole[key] != shown[key]}
    assert changed == {"status", "output", "usage", "incomplete_details"}
    assert (shown["output"], shown["usage"]) == ([], None)


def test_the_output_is_read_as_input() -> None:
    (item,) = stored.output_items(answer())
    assert (item.type, item.role) == ("message", "assistant")
    assert item.id is not None
    assert item.id.startswith("msg_")
    assert isinstance(item.content, list)
    assert [part.text for part in item.content] == ["Hello."]


@pytest.mark.parametrize(
    ("sent", "listed"),
    [
        (None, []),
        (
            "hi",
            [
                {
                    "type": "message",
                    "role": "user",
                    "status": "completed",
                    "content": [{"type": "input_text", "text": "hi"}],
                }
            ],
        ),
        (
            [
                {"role": "assistant", "content": "said"},
                {"role": "user", "content": [{"type": "input_text", "text": "x"}], "id": "msg_1"},
            ],
            [
                {
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "content": [
                        {
                            "type": "output_text",
                            "text": "said",
                            "annotations": [],
                            "logprobs": [],
                        }
                    ],
                },
                {"id": "msg_1", "content": [{"type": "input_text", "text": "x"}]},
            ],
        ),
        (
            [
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "x"},
                {"type": "custom_tool_call", "call_id": "d", "name": "g", "input": ""},
                {"type": "reasoning", "id": "rs_1", "summary": []},
            ],
            [
                {"type": "function_call", "status": "completed"},
                {"type": "function_call_output", "status": "completed", "output": "x"},
                {"type": "custom_tool_call", "input": ""},
                {"type": "reasoning", "id": "rs_1"},
            ],
        ),
    ],
)
def test_input_items(sent: object, listed: list[dict[str, Any]]) -> None:
    body = orjson.dumps({"input": sent})
    items = stored.input_items(body, STAMP.mark)
    assert len(items) == len(listed)
    for item, expected in zip(items, listed, strict=True):
        assert item.items() >= expected.items()
    ids = [item["id"] for item in items]
    assert len(set(ids)) == len(ids)
    assert all(one.endswith(STAMP.mark) or "id" in listed[n] for n, one in enumerate(ids))
    for item in items:
        validate_type(type_=ResponseItem, value=item)  # type: ignore[arg-type]


def test_counts_deletions_and_compactions() -> None:
    counted = orjson.loads(stored.input_tokens(7))
    assert validate_type(type_=InputTokenCountResponse, value=counted).input_tokens == 7
    assert orjson.loads(stored.deleted("resp_1")) == {
        "id": "resp_1",
        "object": "response",
        "deleted": True,
    }
    compacted = orjson.loads(stored.compaction("user: hi", Usage(9, 3), STAMP))
    read = validate_type(type_=CompactedResponse, value=compacted)
    (item,) = read.output
    assert item.type == "compaction"
    assert decrypted(item.encrypted_content) == "user: hi"
    assert read.usage.total_tokens == 12


@pytest.mark.parametrize("text", ["", "hi", "wörld 👋\n"])
def test_what_is_encrypted_here_is_decrypted(text: str) -> None:
    assert decrypted(encrypted(text)) == text


@pytest.mark.parametrize("content", ["", "x", "gAAAAAB", "gAAAAAB!", "gAAAAABgA", "gAAAAAB_-8="])
def test_what_others_encrypted_is_not(content: str) -> None:
    assert decrypted(content) == ""


def test_parts_of_messages_are_whole() -> None:
    picture = {"type": "input_image", "image_url": "https://example.com/a.png"}
    said = {"type": "output_text", "text": "x"}
    body = orjson.dumps(
        {
            "input": [
                {"role": "user", "content": [picture, picture | {"detail": "low"}]},
                {"role": "assistant", "content": [said]},
            ]
        }
    )
    first, second = stored.input_items(body, "0" * 26)
    assert [part["detail"] for part in first["content"]] == ["auto", "low"]
    assert second["content"] == [said | {"annotations": [], "logprobs": []}]
