"""Which requests have the same key."""

import json
from typing import Any

import pytest

from llmsim.recordings.matching.canonical import KeyFields, canonical, key


def chat(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": list(messages), **more}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def called(name: str, arguments: str = '{"a":1,"b":2}') -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    call = {"id": name, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def result(name: str, content: str = "7") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": content}


def key_of(body: dict[str, Any] | bytes, fields: KeyFields | None = None) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return key(canonical("openai", "/v1/chat/completions", "m", content, fields or KeyFields()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (chat(user("Hi")), chat(user("Hi"), stream=True, stream_options={"include_usage": True})),
        (chat(user("Hi")), chat(user("Hi"), seed=7, user="u", metadata={"a": "b"}, temperature=1)),
        (chat(user("Hi")), chat(user([{"type": "text", "text": "Hi"}]))),
        (
            chat(user("Hi you")),
            chat(
                user(
                    [
                        {"type": "text", "text": "Hi ", "cache_control": {"type": "ephemeral"}},
                        {"type": "text", "text": "you"},
                    ]
                )
            ),
        ),
        (chat(user("Hi")), chat({"content": "Hi", "role": "user", "name": None})),
        (
            chat(user("Hi"), called("call_1"), result("call_1")),
            chat(user("Hi"), called("call_x", '{"b": 2, "a": 1}'), result("call_x")),
        ),
        (
            {"input": [{"type": "reasoning", "id": "rs_1", "encrypted_content": "x"}]},
            {"input": [{"type": "reasoning", "id": "rs_2", "encrypted_content": "y"}]},
        ),
        (
            {"input": "Hi", "previous_response_id": "resp_1"},
            {"input": "Hi", "previous_response_id": "resp_2"},
        ),
        (
            {"contents": [{"parts": [{"text": "Hi"}]}], "systemInstruction": {"parts": []}},
            {"contents": [{"parts": [{"text": "Hi"}]}], "system_instruction": {"parts": []}},
        ),
        (b"[1]", b"[1]"),
    ],
)
def test_requests_that_say_the_same(one: Any, other: Any) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (chat(user("Hi")), chat(user("Ho"))),
        (chat(user("Hi")), chat(user("Hi"), user("Hi"))),
        (chat(user("Hi")), chat({"role": "system", "content": "Hi"})),
        (chat(user("Hi")), chat(user("Hi"), tools=[{"type": "function"}])),
        (chat(user("Hi")), chat(user("Hi"), response_format={"type": "json_object"})),
        # Turns that share the last user message, and turns whose last message is a tool result.
        (chat(user("A"), user("Hi")), chat(user("B"), user("Hi"))),
        (
            chat(user("Hi"), called("a"), result("a", "7")),
            chat(user("Hi"), called("a"), result("a", "8")),
        ),
        (
            chat(called("a"), called("b"), result("a", "1"), result("b", "2")),
            chat(called("a"), called("b"), result("b", "1"), result("a", "2")),
        ),
        (
            {"generationConfig": {"responseMimeType": "application/json"}},
            {"generationConfig": {"responseMimeType": "text/plain"}},
        ),
        ({"input": "Hi"}, {"input": "Hi", "previous_response_id": "resp_1"}),
        (b"[1]", b"[2]"),
        (b"", b"[2]"),
    ],
)
def test_requests_that_do_not(one: Any, other: Any) -> None:
    assert key_of(one) != key_of(other)


def test_provider_endpoint_and_model_count() -> None:
    body = b'{"messages":[]}'
    keys = {
        key(canonical(*names, body))
        for names in [("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "b", "x")]
    }
    assert len(keys) == 4


def test_fields_can_be_added_and_left_out() -> None:
    cold, hot = chat(user("Hi"), temperature=0), chat(user("Hi"), temperature=1)
    assert key_of(cold) == key_of(hot)
    fields = KeyFields(also=frozenset({"temperature"}))
    assert key_of(cold, fields) != key_of(hot, fields)
    with_tools = chat(user("Hi"), tools=[{"type": "function"}])
    fields = KeyFields(never=frozenset({"tools"}))
    assert key_of(cold, fields) == key_of(with_tools, fields)


def test_a_value_that_is_anonymised_counts_as_its_kind() -> None:
    def kinds(text: str) -> str:
        return text.replace("ann@example.org", "<email>").replace("bob@example.com", "<email>")

    one, other = (
        canonical("p", "e", "m", json.dumps(chat(user(f"I am {name}."))).encode(), kinds=kinds)
        for name in ("ann@example.org", "bob@example.com")
    )
    assert one == other
