"""Chat requests: what they mean in neutral terms, and what is wrong with the others."""

import struct
import zlib
from base64 import b64encode
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim.core import Format, Image, Message, Request, Thinking, Tool, ToolCall, ToolChoice
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.chat.codec import OpenAIChat
from tests.effort import examples

CHAT = OpenAIChat()
USER = {"role": "user", "content": "hi"}


def body(**fields: Any) -> bytes:
    return orjson.dumps({"model": "gpt-4o", "messages": [USER], **fields})


def read(**fields: Any) -> Request:
    return CHAT.decode(body(**fields))


def refused(data: bytes) -> Failure:
    with pytest.raises(BadRequest) as caught:
        CHAT.decode(data)
    return caught.value.failure


def png(width: int, height: int) -> str:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head
    data = b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return "data:image/png;base64," + b64encode(data + bytes(40)).decode()


def test_a_small_request_has_the_defaults() -> None:
    request = read()
    assert (request.model, request.messages) == ("gpt-4o", (Message("user", "hi"),))
    assert (request.stream, request.n, request.max_tokens, request.seed) == (False, 1, None, None)
    assert (request.stop, request.logprobs, request.thinking, request.tools) == ((), None, None, ())
    assert (request.format, request.store, request.task) == (None, False, None)
    assert (request.wire.usage_wanted, request.wire.obfuscated) == (False, True)


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"stream": True}, "stream", True),
        ({"stream": None}, "stream", False),
        ({"max_tokens": 5}, "max_tokens", 5),
        ({"max_tokens": 0}, "max_tokens", 0),
        ({"max_completion_tokens": 6}, "max_tokens", 6),
        ({"max_completion_tokens": 0, "max_tokens": 7}, "max_tokens", 0),
        ({"max_completion_tokens": None, "max_tokens": 7}, "max_tokens", 7),
        ({"stop": "x"}, "stop", ("x",)),
        ({"stop": ["x", "y"]}, "stop", ("x", "y")),
        ({"stop": []}, "stop", ()),
        ({"stop": None}, "stop", ()),
        ({"n": 3}, "n", 3),
        ({"n": None}, "n", 1),
        ({"seed": -5}, "seed", -5),
        ({"seed": 2**63 - 1}, "seed", 2**63 - 1),
        ({"logprobs": True}, "logprobs", 0),
        ({"logprobs": True, "top_logprobs": 20}, "logprobs", 20),
        ({"logprobs": False}, "logprobs", None),
        ({"logprobs": False, "top_logprobs": 0}, "logprobs", None),
        ({"reasoning_effort": "high"}, "thinking", Thinking("high")),
        ({"store": True}, "store", True),
        ({"model": "meta-llama/x:free"}, "model", "meta-llama/x:free"),
        ({"unknown": {"fields": ["are", "ignored"]}, "stream": True}, "stream", True),
    ],
)
def test_a_field_in_neutral_words(fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(read(**fields), name) == value


@pytest.mark.parametrize(
    ("options", "usage", "obfuscated"),
    [
        (None, False, True),
        ({}, False, True),
        ({"include_usage": True}, True, True),
        ({"include_usage": False, "include_obfuscation": False}, False, False),
        ({"include_obfuscation": None}, False, True),
    ],
)
def test_stream_options(options: Any, usage: bool, obfuscated: bool) -> None:
    wire = read(stream=True, stream_options=options).wire
    assert (wire.usage_wanted, wire.obfuscated) == (usage, obfuscated)


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
OTHER = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "ls"}}
TEXTS = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{"role": "developer", "content": "x"}], [Message("system", "x")]),
        ([{"role": "system", "content": "x", "name": "n"}], [Message("system", "x", "n")]),
        ([{"role": "assistant", "content": "x"}], [Message("assistant", "x")]),
        ([{"role": "user", "content": ""}], [Message("user", "")]),
        ([{"role": "user", "content": TEXTS}], [Message("user", "one two")]),
        ([{"role": "user", "content": []}], [Message("user", "")]),
        (
            [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
            [Message("assistant", "no")],
        ),
        (
            [{"role": "assistant", "tool_calls": [CALL, OTHER]},
             {"role": "tool", "content": "2", "tool_call_id": "c2"},
             {"role": "tool", "content": TEXTS, "tool_call_id": "c1"}],
            [Message("assistant", "", calls=(ToolCall("c1", "f", '{"a":1}'),
                                             ToolCall("c2", "g", "ls", True))),
             Message("tool", "2", answers="c2"),
             Message("tool", "one two", answers="c1")],
        ),
        (
            [{"role": "assistant", "content": "x", "function_call": CALL["function"]},
             {"role": "function", "content": "1", "name": "f"}],
            [Message("assistant", "x", calls=(ToolCall("", "f", '{"a":1}'),)),
             Message("tool", "1", "f")],
        ),
    ],
)  # fmt: skip
def test_messages(messages: list[Any], expected: list[Message]) -> None:
    assert read(messages=messages).messages == tuple(expected)


@pytest.mark.parametrize(
    ("url", "detail", "expected"),
    [
        ("https://example.com/cat.png", None, Image("auto")),
        ("https://example.com/cat.png", "low", Image("low")),
        (png(640, 480), "high", Image("high", 640, 480)),
        (png(640, 480), None, Image("auto", 640, 480)),
        ("data:image/png;base64,AAAA", "high", Image("high")),
        ("data:image/png;base64,not base64!", "high", Image("high")),
        ("data:image/png;base64,é", "high", Image("high")),
        ("data:image/png;base64,", "high", Image("high")),
        ("data:image/png", "high", Image("high")),
        ("", None, Image("auto")),
    ],
)
def test_pictures(url: str, detail: str | None, expected: Image) -> None:
    part = {"type": "image_url", "image_url": {"url": url, "detail": detail}}
    (message,) = read(messages=[{"role": "user", "content": [*TEXTS, part]}]).messages
    assert (message.text, message.images) == ("one two", (expected,))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "A" * 4800, "format": "wav"}},
        {"type": "file", "file": {"file_data": "A" * 4800, "filename": "x.pdf"}},
    ],
)
def test_other_parts_count_for_their_size(part: Any) -> None:
    (message,) = read(messages=[{"role": "user", "content": [part]}]).messages
    assert message.extra == 100
    assert message.text == ""


FUNCTION = {"name": "f", "description": "what it does", "parameters": {"type": "object"}}
TOOLS = [
    {"type": "function", "function": FUNCTION},
    {"type": "custom", "custom": {"name": "g"}},
]
OFFERED = (
    Tool("f", "what it does", {"type": "object"}),
    Tool("g", custom=True),
)


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, ToolChoice()),
        ({"tool_choice": "none"}, ToolChoice("none")),
        ({"tool_choice": "required"}, ToolChoice("required")),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}},
         ToolChoice("required", ("f",))),
        ({"tool_choice": {"type": "custom", "custom": {"name": "g"}}},
         ToolChoice("required", ("g",))),
        ({"parallel_tool_calls": False}, ToolChoice(parallel=False)),
    ],
)  # fmt: skip
def test_tools(fields: dict[str, Any], choice: ToolChoice) -> None:
    request = read(tools=TOOLS, **fields)
    assert (request.tools, request.choice) == (OFFERED, choice)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, Format()),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
         Format({"type": "object"})),
    ],
)  # fmt: skip
def test_the_form_of_the_answer(sent: Any, expected: Format | None) -> None:
    said = [{"role": "user", "content": "in JSON, please"}]
    assert read(messages=said, response_format=sent).format == expected


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"messages": None}, "messages", "invalid_type"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": "hi"}, "messages", "invalid_type"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role", "missing_required_parameter"),
        ({"messages": [USER, {"role": "king", "content": "hi"}]}, "messages[1].role",
         "invalid_value"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "invalid_type"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content",
         "invalid_type"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "invalid_type"),
        ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
         "messages[0].content[0].type", "invalid_value"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]},
         "messages[0].content[0].text", "missing_required_parameter"),
        ({"model": None}, "model", "invalid_type"),
        ({"model": ""}, "model", "empty_string"),
        ({"model": 4}, "model", "invalid_type"),
        ({"model": "x" * 257}, "model", "string_above_max_length"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"max_tokens": -1}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens", "invalid_type"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"stop": list("abcde")}, "stop", "array_above_max_length"),
        ({"stop": ["a", 1]}, "stop[1]", "invalid_type"),
        ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"temperature": -1}, "temperature", "decimal_below_min_value"),
        ({"top_p": "1"}, "top_p", "invalid_type"),
        ({"presence_penalty": 3}, "presence_penalty", "decimal_above_max_value"),
        ({"frequency_penalty": -3}, "frequency_penalty", "decimal_below_min_value"),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs", "integer_above_max_value"),
        ({"top_logprobs": 2}, "top_logprobs", None),
        ({"seed": 2**63}, "seed", "integer_above_max_value"),
        ({"logit_bias": {"1": "x"}}, "logit_bias[...]", "invalid_type"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort", "invalid_value"),
        ({"tools": []}, "tools", "empty_array"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
        ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "h"}}},
         "tool_choice", None),
        ({"messages": [USER, {"role": "tool", "content": "x", "tool_call_id": "c9"}]},
         "messages.[1].role", None),
        ({"messages": [{"role": "assistant", "tool_calls": [CALL]}, USER]}, "messages", None),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "custom"}]}]},
         "messages[0].tool_calls[0].custom", "missing_required_parameter"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str, code: str | None) -> None:
    failure = refused(body(**fields))
    assert (failure.kind, failure.param, failure.code) == (FailureKind.INVALID, param, code)
    status, said = openai_errors.failure(failure)
    assert status == 400
    assert orjson.loads(said)["error"]["param"] == param


@pytest.mark.parametrize("missing", ["model", "messages"])
def test_what_is_missing_is_named(missing: str) -> None:
    fields = {"model": "gpt-4o", "messages": [USER]}
    del fields[missing]
    failure = refused(orjson.dumps(fields))
    assert (failure.param, failure.code) == (missing, "missing_required_parameter")
    assert failure.message == f"Missing required parameter: '{missing}'."


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", body() + b"{}", body()[:-1], b'{"x":' + b"[" * 100_000],
    ids=["nothing", "cut", "no UTF-8", "more", "unfinished", "deep"],
)
def test_a_body_that_is_not_json_is_refused(data: bytes) -> None:
    failure = refused(data)
    assert failure.message == openai_errors.NOT_JSON
    assert failure.param is None


@given(st.binary(max_size=300))
@settings(max_examples=examples(500))
def test_any_bytes_are_refused_at_worst(data: bytes) -> None:
    with suppress(BadRequest):
        CHAT.decode(data)


json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False),
        st.text(max_size=10),
        st.sampled_from(["user", "tool", "text", "function", "image_url", "auto", "c1"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "name", "image_url", "url", "tool_calls", "id",
                 "function", "arguments", "tool_call_id", "function_call", "x"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)  # fmt: skip
fields = st.sampled_from(
    ["model", "messages", "stream", "stream_options", "max_tokens", "stop", "n", "seed", "logprobs",
     "top_logprobs", "logit_bias", "reasoning_effort", "tools", "tool_choice", "functions",
     "function_call", "response_format", "service_tier", "metadata", "user", "temperature"]
)  # fmt: skip
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "system", "function"])},
        optional={
            "content": st.one_of(st.none(), st.text(max_size=5), json),
            "tool_calls": st.one_of(st.lists(st.sampled_from([CALL, OTHER]), max_size=3), json),
            "tool_call_id": st.sampled_from(["c1", "c2", "c3", None]),
            "function_call": st.one_of(st.just(CALL["function"]), json),
            "name": st.one_of(st.none(), st.text(max_size=5)),
        },
    ),
    max_size=5,
)


@given(st.dictionaries(fields, json, max_size=4), st.one_of(st.just([USER]), messages))
@settings(max_examples=examples(500))
def test_any_json_is_refused_at_worst(sent: dict[str, Any], said: list[Any]) -> None:
    data = orjson.dumps({"model": "m", "messages": said, **sent}, option=orjson.OPT_NON_STR_KEYS)
    with suppress(BadRequest):
        assert CHAT.decode(data).messages


@given(st.data())
@settings(max_examples=examples(500))
def test_any_damage_is_refused_at_worst(data: st.DataObject) -> None:
    whole = body(tools=TOOLS, stop=["a"], logit_bias={"1": 2.5}, messages=[USER, *[USER] * 2])
    place = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 20))
    put = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from([b'"', b"null", b"[", b"}"])))
    with suppress(BadRequest):
        CHAT.decode(whole[:place] + put + whole[place + gone :])
