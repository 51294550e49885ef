"""Requests for responses: what they mean in neutral terms, and what is wrong with the others."""

from base64 import b64encode
from contextlib import suppress
from typing import Any
from zlib import crc32

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim.core import Format, Image, Message, Request, Thinking, Tool, ToolCall, ToolChoice
from llmsim.core.errors import BadRequest, Failure
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.openai.responses.conversion import DEFAULT_MODEL, continued
from llmsim.providers.openai.responses.encrypted_content import encrypted
from llmsim.providers.openai.responses.inputs import Item, Part
from tests.effort import examples

RESPONSES = OpenAIResponses()
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION = {"type": "function", "name": "f", "parameters": SCHEMA, "description": "Does f"}
CUSTOM = {"type": "custom", "name": "c"}
SEARCH = {"type": "web_search"}
SHELL = {"type": "shell"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
CUSTOM_CALL = {"type": "custom_tool_call", "call_id": "call_2", "name": "c", "input": "ls"}
CUSTOM_OUTPUT = {"type": "custom_tool_call_output", "call_id": "call_2", "output": "a b"}


def body(**fields: Any) -> bytes:
    return orjson.dumps({"model": "gpt-4o", "input": "hi", **fields})


def read(**fields: Any) -> Request:
    return RESPONSES.decode(body(**fields))


def refused(data: bytes) -> Failure:
    with pytest.raises(BadRequest) as caught:
        RESPONSES.decode(data)
    return caught.value.failure


def about(**fields: Any) -> dict[str, Any]:
    shown: dict[str, Any] = orjson.loads(b"{" + read(**fields).wire.echo)
    return shown


def test_a_small_request_has_the_defaults() -> None:
    request = read()
    assert (request.model, request.messages) == ("gpt-4o", (Message("user", "hi"),))
    assert (request.stream, request.n, request.max_tokens, request.seed) == (False, 1, None, None)
    assert (request.stop, request.logprobs, request.thinking, request.tools) == ((), None, None, ())
    assert (request.format, request.store, request.wire.continues) == (None, True, False)


@pytest.mark.parametrize("data", [b"{}", b'{"model":null,"input":null}'])
def test_a_request_without_anything_is_answered(data: bytes) -> None:
    request = RESPONSES.decode(data)
    assert (request.model, request.messages) == (DEFAULT_MODEL, (Message("user"),))


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"stream": True}, "stream", True),
        ({"stream": None}, "stream", False),
        ({"store": False}, "store", False),
        ({"store": None}, "store", True),
        ({"store": False, "conversation": "conv_1"}, "store", True),
        ({"max_output_tokens": 5}, "max_tokens", 5),
        ({"generate": False, "max_output_tokens": 5}, "max_tokens", 0),
        ({"generate": False, "tools": [FUNCTION]}, "tools", ()),
        ({"top_logprobs": 3}, "logprobs", 3),
        ({"top_logprobs": 0}, "logprobs", None),
        ({"include": ["message.output_text.logprobs"]}, "logprobs", 0),
        ({"include": ["file_search_call.results"]}, "logprobs", None),
        ({"reasoning": {}}, "thinking", Thinking()),
        ({"reasoning": {"effort": "max"}}, "thinking", Thinking("max")),
        ({"reasoning": {"summary": "auto"}}, "thinking", Thinking(visible=True)),
        (
            {"reasoning": {"effort": "low", "generate_summary": "concise"}},
            "thinking",
            Thinking("low", visible=True),
        ),
        ({"tools": [FUNCTION]}, "tools", (Tool("f", "Does f", SCHEMA),)),
        (
            {"tools": [{"type": "function", "name": "g"}, SEARCH, CUSTOM]},
            "tools",
            (Tool("g"), Tool("web_search", hosted="web_search"), Tool("c", "", None, True)),
        ),
        ({"tools": []}, "tools", ()),
        ({"text": {"format": {"type": "text"}}}, "format", None),
        ({"text": {"format": {"type": "json_object"}}}, "format", Format()),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
            "format",
            Format(SCHEMA),
        ),
        ({"unknown": 1, "moderation": {"model": "m"}, "max_tool_calls": 0}, "n", 1),
    ],
)
def test_what_a_parameter_means(fields: dict[str, Any], name: str, value: object) -> None:
    assert getattr(read(**fields), name) == value


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (None, ToolChoice()),
        ("auto", ToolChoice()),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("required", ("f",))),
        ({"type": "custom", "name": "c"}, ToolChoice("required", ("c",))),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
            },
            ToolChoice("required", ("f", "web_search")),
        ),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [SEARCH]},
            ToolChoice("auto", ("web_search",)),
        ),
        ({"type": "allowed_tools", "mode": "auto", "tools": [SHELL]}, ToolChoice("none")),
        ({"type": "web_search_preview"}, ToolChoice("required", ("web_search",))),
        ({"type": "mcp", "server_label": "x"}, ToolChoice("none")),
        ({"type": "shell"}, ToolChoice("none")),
    ],
)
def test_tool_choice(asked: object, meant: ToolChoice) -> None:
    tools = [FUNCTION, CUSTOM, SEARCH]
    assert read(tools=tools, tool_choice=asked).choice == meant
    shown = about(tools=tools, tool_choice=asked)["tool_choice"]
    assert shown == ("auto" if asked is None else asked)


def test_one_call_at_a_time() -> None:
    request = read(tools=[FUNCTION], parallel_tool_calls=False)
    assert request.choice == ToolChoice("auto", (), False)
    assert about(parallel_tool_calls=False)["parallel_tool_calls"] is False


def picture(kind: bytes) -> str:
    return "data:image/gif;base64," + b64encode(kind + bytes(40)).decode()


GIF = picture(b"GIF89a\x20\x03\x58\x02")


@pytest.mark.parametrize(
    ("items", "messages"),
    [
        ([{"role": "user", "content": "a"}], (Message("user", "a"),)),
        (
            [{"type": "message", "role": "developer", "content": "a"}],
            (Message("system", "a"),),
        ),
        (
            [
                {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
                {
                    "type": "message",
                    "id": "msg_1",
                    "status": "completed",
                    "role": "assistant",
                    "content": [
                        {"type": "output_text", "text": "b", "annotations": []},
                        {"type": "refusal", "refusal": "c"},
                    ],
                },
            ],
            (Message("user", "a"), Message("assistant", "bc")),
        ),
        (
            [{"type": "reasoning", "id": "rs_1", "summary": []}, {"role": "user", "content": ""}],
            (Message("user"),),
        ),
        (
            [CALL, OUTPUT],
            (
                Message("assistant", "", calls=(ToolCall("call_1", "f", "{}"),)),
                Message("tool", "done", answers="call_1"),
            ),
        ),
        (
            [
                CALL,
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "x"}]},
                CUSTOM_CALL,
                OUTPUT,
                {**CUSTOM_OUTPUT, "output": [{"type": "input_text", "text": "a b"}]},
            ],
            (
                Message(
                    "assistant",
                    "",
                    calls=(ToolCall("call_1", "f", "{}"), ToolCall("call_2", "c", "ls", True)),
                ),
                Message("tool", "done", answers="call_1"),
                Message("tool", "a b", answers="call_2"),
            ),
        ),
        (
            [
                {"type": "web_search_call", "id": "ws_1", "status": "completed"},
                {"type": "shell_call_output", "call_id": "x", "output": [{"stdout": "y"}]},
                {"type": "computer_call_output", "call_id": "x", "output": {"file_id": "f"}},
                {"role": "user", "content": "a"},
            ],
            (
                Message("tool", "y", answers="x"),
                Message("tool", images=(Image(),), answers="x", mark=crc32(b"f")),
                Message("user", "a"),
            ),
        ),
        (
            [{"type": "compaction", "encrypted_content": encrypted("user: whales")}],
            (Message("assistant", "user: whales"),),
        ),
        ([{"type": "compaction", "encrypted_content": "theirs"}], (Message("assistant"),)),
    ],
)
def test_items(items: list[Any], messages: tuple[Message, ...]) -> None:
    assert read(input=items).messages == messages


@pytest.mark.parametrize(
    ("part", "image"),
    [
        ({"image_url": "https://x/y.png"}, Image("auto")),
        ({"image_url": "https://x/y.png", "detail": "low"}, Image("low")),
        ({"image_url": GIF, "detail": "high"}, Image("high", 800, 600)),
        ({"file_id": "file_1", "detail": "original"}, Image("original")),
    ],
)
def test_pictures(part: dict[str, str], image: Image) -> None:
    content = [{"type": "input_text", "text": "a"}, {"type": "input_image", **part}]
    (message,) = read(input=[{"role": "user", "content": content}]).messages
    assert (message.text, message.images) == ("a", (image,))
    assert message.mark != 0


def test_files_and_sounds_are_counted() -> None:
    content = [
        {"type": "input_file", "file_data": "x" * 960, "filename": "a.pdf"},
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": {"data": "y" * 480, "format": "mp3"}},
    ]
    (message,) = read(input=[{"role": "user", "content": content}]).messages
    assert (message.text, message.extra) == ("", 30)


def test_instructions_come_first() -> None:
    request = read(instructions="Be brief.", input=[{"role": "user", "content": "a"}])
    assert request.messages == (Message("system", "Be brief."), Message("user", "a"))


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"conversation": {"id": "conv_1"}},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
        {"input": [{"id": "msg_1"}]},
    ],
)
def test_what_is_remembered_is_not_missed_before_it_is_there(fields: dict[str, Any]) -> None:
    assert read(**fields).wire.continues
    if "input" not in fields:
        assert read(**fields, input=[OUTPUT]).wire.continues


def test_a_conversation_that_goes_on() -> None:
    request = read(previous_response_id="resp_1", instructions="Be brief.", input=[OUTPUT])
    earlier = [
        Item("message", role="user", content=[Part("input_text", "a")]),
        Item("function_call", call_id="call_1", name="f", arguments="{}"),
    ]
    mine = Item("function_call_output", call_id="call_1", output="done")
    assert continued(request, [*earlier, mine]).messages == (
        Message("system", "Be brief."),
        Message("user", "a"),
        Message("assistant", "", calls=(ToolCall("call_1", "f", "{}"),)),
        Message("tool", "done", answers="call_1"),
    )
    with pytest.raises(BadRequest, match="No tool output found for function call call_1"):
        continued(request, earlier)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, {"service_tier": "default", "tools": [], "tool_choice": "auto", "metadata": {}}),
        ({"service_tier": "auto"}, {"service_tier": "default"}),
        ({"service_tier": "flex"}, {"service_tier": "flex"}),
        ({"service_tier": "fast"}, {"service_tier": "priority"}),
        ({"store": False}, {"store": False}),
        ({"background": True}, {"background": True}),
        ({"reasoning": None}, {"reasoning": {"effort": None, "summary": None}}),
        ({"model": "gpt-5"}, {"reasoning": {"effort": "medium", "summary": None}}),
        (
            {"model": "gpt-5", "reasoning": {"effort": "low", "summary": "detailed"}},
            {"reasoning": {"effort": "low", "summary": "detailed"}},
        ),
        ({"conversation": "conv_1"}, {"conversation": {"id": "conv_1"}}),
        ({"tools": [SEARCH]}, {"tools": [SEARCH]}),
        (
            {"tools": [{"type": "function", "name": "g"}]},
            {
                "tools": [
                    {
                        "type": "function",
                        "name": "g",
                        "description": None,
                        "parameters": None,
                        "strict": True,
                    }
                ]
            },
        ),
        ({"tools": [{**FUNCTION, "strict": False}]}, {"tools": [{**FUNCTION, "strict": False}]}),
        ({"text": None}, {"text": {"format": {"type": "text"}, "verbosity": "medium"}}),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
            {
                "text": {
                    "format": {"type": "json_schema", "name": "n", "schema": SCHEMA},
                    "verbosity": "medium",
                }
            },
        ),
        ({"max_output_tokens": 20, "max_tool_calls": 0, "top_p": 0.5}, {"max_output_tokens": 20}),
        ({"previous_response_id": "resp_1"}, {"previous_response_id": "resp_1"}),
    ],
)
def test_what_a_response_tells_of_its_request(
    fields: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert about(**fields).items() >= shown.items()


BAD_ITEM = "Invalid value: 'foo'. Supported values are: "


@pytest.mark.parametrize(
    ("fields", "param", "code", "message"),
    [
        ({"model": 5}, "model", "invalid_type", None),
        ({"model": ""}, "model", "empty_string", None),
        ({"input": 5}, "input", "invalid_type", None),
        ({"input": ["x"]}, "input[0]", "invalid_type", None),
        ({"input": [{"type": "foo"}]}, "input[0].type", "invalid_value", BAD_ITEM),
        (
            {"input": [{"role": "user"}]},
            "input[0].content",
            "missing_required_parameter",
            "Missing required parameter: 'input[0].content'.",
        ),
        ({"input": [{"role": "alien", "content": ""}]}, "input[0].role", "invalid_value", None),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]},
            "input[0].content[0].text",
            "invalid_type",
            None,
        ),
        ({"input": [{**CALL, "call_id": None}]}, "input[0].call_id", None, None),
        (
            {"input": [{**CALL, "arguments": {"a": 1}}]},
            "input[0].arguments",
            "invalid_type",
            "Invalid type for 'input[0].arguments': expected a string, but got an object instead.",
        ),
        (
            {"input": [{"type": "item_reference"}]},
            "input[0].id",
            "missing_required_parameter",
            None,
        ),
        ({"input": [CALL]}, "input", None, "No tool output found for function call call_1."),
        (
            {"input": [OUTPUT, CALL]},
            "input",
            None,
            "No tool call found for function call output with call_id call_1.",
        ),
        (
            {"input": [CUSTOM_CALL]},
            "input",
            None,
            "No tool output found for custom tool call call_2.",
        ),
        ({"temperature": 3}, "temperature", "decimal_above_max_value", None),
        ({"top_logprobs": 21}, "top_logprobs", "integer_above_max_value", None),
        ({"max_output_tokens": 0}, "max_output_tokens", "integer_below_min_value", None),
        ({"include": ["nothing"]}, "include[0]", "invalid_value", None),
        ({"truncation": "some"}, "truncation", "invalid_value", None),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort", "invalid_value", None),
        ({"metadata": {"a": 1}}, None, None, None),
        ({"tools": [{"name": "f"}]}, "tools[0].type", "missing_required_parameter", None),
        ({"tools": [{"type": "magic"}]}, "tools[0].type", "invalid_value", None),
        (
            {"tools": [SEARCH, {"type": "function"}]},
            "tools[1].name",
            "missing_required_parameter",
            None,
        ),
        (
            {"tools": [{**FUNCTION, "parameters": "x"}]},
            "tools[0].parameters",
            "invalid_type",
            None,
        ),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "g"}},
            "tool_choice",
            None,
            "Tool choice 'g' not found in 'tools' parameter.",
        ),
        ({"tools": [FUNCTION], "tool_choice": "maybe"}, "tool_choice", "invalid_value", None),
        ({"text": {"format": {"type": "yaml"}}}, "text.format.type", "invalid_value", None),
        (
            {"text": {"format": {"type": "json_schema", "name": "n"}}},
            "text.format.schema",
            "missing_required_parameter",
            None,
        ),
        (
            {"previous_response_id": "resp_1", "conversation": "conv_1"},
            "previous_response_id",
            "mutually_exclusive_parameters",
            None,
        ),
        ({"background": True, "store": False}, "background", None, None),
    ],
)
def test_what_is_refused(
    fields: dict[str, Any], param: str | None, code: str | None, message: str | None
) -> None:
    failure = refused(body(**fields))
    if param is not None:
        assert failure.param == param
    if code is not None:
        assert failure.code == code
    if message is not None:
        assert failure.message.startswith(message)
    assert openai_errors.failure(failure)[0] == 400


def test_a_body_that_is_no_json() -> None:
    assert refused(b"{").message == openai_errors.NOT_JSON


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = ["input", "tools", "tool_choice", "text", "reasoning", "include", "conversation"]
MEMBERS = ["type", "role", "content", "call_id", "name", "arguments", "output", "id", "parameters"]
KINDS = ["message", "function_call", "function_call_output", "function", "custom", "reasoning"]
item = st.dictionaries(st.sampled_from(MEMBERS), anything | st.sampled_from(KINDS), max_size=5)


@settings(max_examples=examples(300))
@given(
    fields=st.dictionaries(
        st.sampled_from(FIELDS), anything | item | st.lists(item, max_size=3), max_size=4
    )
)
def test_any_json_is_read_or_refused(fields: dict[str, Any]) -> None:
    with suppress(BadRequest):
        request = read(**fields)
        assert orjson.loads(b"{" + request.wire.echo)["model"] == "gpt-4o"


@given(data=st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(BadRequest):
        RESPONSES.decode(data)
