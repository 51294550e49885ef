"""Stored chat completions, as they are read, listed, updated and deleted."""

from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionDeleted, ChatCompletionStoreMessage

from llmsim.core import Choice, Completion, Finish, GeneratedText, Stamp, TextSegment, Usage
from llmsim.core.errors import BadRequest
from llmsim.providers.openai.chat import stored
from llmsim.providers.openai.chat.codec import OpenAIChat

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
NAME = "chatcmpl-LMs0123456789abcdef0123456789"
CHAT = OpenAIChat()
SAID = Completion((Choice((TextSegment(GeneratedText("Yes.", 2)),), 2, Finish.STOP),), Usage(8, 2))
HI = {"role": "user", "content": "hi"}


def body(**fields: Any) -> bytes:
    return orjson.dumps({"model": "gpt-4o", "messages": [HI], "store": True, **fields})


def answer(**fields: Any) -> bytes:
    return CHAT.plain(CHAT.decode(body(**fields)), SAID, STAMP)


def shown(changed: dict[str, str] | None = None, **fields: Any) -> Any:
    return stored.completion(body(**fields), answer(**fields), changed)


def test_an_id_is_made_of_the_mark() -> None:
    assert orjson.loads(answer())["id"] == stored.completion_id(STAMP.mark) == NAME


def test_a_completion_is_the_answer_and_some_of_what_was_asked() -> None:
    kept = shown(temperature=0.5, seed=3, metadata={"a": "b"}, user="u")
    ChatCompletion.model_validate(kept, strict=True)
    assert orjson.loads(answer(temperature=0.5, seed=3)).items() <= kept.items()
    assert (kept["temperature"], kept["top_p"], kept["seed"]) == (0.5, 1.0, 3)
    assert (kept["input_user"], kept["metadata"], kept["tools"]) == ("u", {"a": "b"}, None)


@pytest.mark.parametrize(
    ("asked", "changed", "expected"),
    [
        (None, None, {}),
        ({"a": "b"}, None, {"a": "b"}),
        ({"a": "b"}, {}, {}),
        ({"a": "b"}, {"c": "d"}, {"c": "d"}),
    ],
)
def test_metadata_is_replaced_as_a_whole(asked: Any, changed: Any, expected: Any) -> None:
    assert shown(changed, metadata=asked)["metadata"] == expected


@pytest.mark.parametrize("number", [b"1e999", b"9" * 400])
def test_what_no_double_holds_is_remembered_as_nothing(number: bytes) -> None:
    update = body()[:-1] + b',"newer":{"x":%b},"top_p":1}' % number
    kept = stored.completion(update, CHAT.plain(CHAT.decode(update), SAID, STAMP), None)
    assert ChatCompletion.model_validate_json(orjson.dumps(kept)).id == NAME
    assert [one["content"] for one in stored.messages(update, NAME)] == ["hi"]


def test_messages_are_listed_as_they_were_sent() -> None:
    parts = [
        {"type": "text", "text": "What is "},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "text", "text": "this?"},
    ]
    sent = body(messages=[{"role": "system", "content": "s"}, {"role": "user", "content": parts}])
    first, second = stored.messages(sent, NAME)
    assert first == {
        "id": f"{NAME}-0",
        "role": "system",
        "content": "s",
        "content_parts": None,
        "name": None,
        "refusal": None,
    }
    assert (second["id"], second["content"]) == (f"{NAME}-1", "What is this?")
    assert second["content_parts"] == parts


def test_the_sdk_reads_an_assistants_message() -> None:
    (message,) = stored.messages(body(messages=[{"role": "assistant", "content": "ok"}]), NAME)
    assert ChatCompletionStoreMessage.model_validate(message, strict=True).content == "ok"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, True),
        ({"model": ["gpt-4o"]}, True),
        ({"model": ["gpt-5"]}, False),
        ({"metadata[a]": ["b"]}, True),
        ({"metadata[a]": ["c"]}, False),
        ({"metadata[x]": ["b"]}, False),
        ({"metadata[a]": ["b"], "metadata[e]": ["f"]}, True),
        ({"metadata[a]": ["b"], "model": ["gpt-5"]}, False),
    ],
)
def test_filters(query: dict[str, list[str]], expected: bool) -> None:
    assert stored.matches(shown(metadata={"a": "b", "e": "f"}), query) is expected


@pytest.mark.parametrize(("update", "expected"), [({"a": "b"}, {"a": "b"}), ({}, {}), (None, {})])
def test_an_update(update: Any, expected: dict[str, str]) -> None:
    assert stored.metadata_update(orjson.dumps({"metadata": update})) == expected


@pytest.mark.parametrize(
    ("update", "param"),
    [
        (b"{}", "metadata"),
        (b'{"metadata": "x"}', "metadata"),
        (b'{"metadata": {"a": 1}}', "metadata[...]"),
        (orjson.dumps({"metadata": {"a": "x" * 513}}), "metadata[...]"),
        (orjson.dumps({"metadata": {str(n): "" for n in range(17)}}), "metadata"),
        (b"", None),
    ],
)
def test_updates_that_are_refused(update: bytes, param: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        stored.metadata_update(update)
    assert caught.value.failure.param == param


def test_the_sdk_reads_a_deletion() -> None:
    read = ChatCompletionDeleted.model_validate_json(stored.deleted(NAME))
    assert (read.id, read.deleted) == (NAME, True)
