"""What is refused under strict validation, and only then."""

from typing import Any

import orjson
import pytest

from llmsim.core import Codec
from llmsim.core.errors import BadRequest, Failure
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.responses.codec import OpenAIResponses

SMALL: dict[type, dict[str, Any]] = {
    OpenAIChat: {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]},
    OpenAIResponses: {"model": "gpt-4o", "input": "hi"},
}
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
OPEN = {**CLOSED, "additionalProperties": True}


def inside(part: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"list": {"type": "array", "items": {"anyOf": [part, {"type": "null"}]}}},
        "required": ["list"],
        "additionalProperties": False,
    }


def refused(kind: type, fields: dict[str, Any]) -> Failure:
    """How a strict codec refuses what a lenient one takes."""
    sent = {key: value for key, value in (SMALL[kind] | fields).items() if value is not ...}
    body = orjson.dumps(sent)
    lenient: Codec = kind()
    lenient.decode(body)
    with pytest.raises(BadRequest) as caught:
        kind(strict=True).decode(body)
    return caught.value.failure


def chat_tool(name: str = "f", schema: Any = None, strict: bool = True) -> dict[str, Any]:
    function = {"name": name, "strict": strict, "parameters": schema}
    return {"tools": [{"type": "function", "function": function}]}


def chat_form(schema: Any, name: str = "n") -> dict[str, Any]:
    described = {"name": name, "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


@pytest.mark.parametrize(
    ("fields", "param", "code", "said"),
    [
        (
            {"max_tokens": 5, "max_completion_tokens": 5},
            "max_tokens",
            "invalid_parameter_combination",
            "at the same time",
        ),
        (
            {"model": "gpt-5", "max_tokens": 5},
            "max_tokens",
            "unsupported_parameter",
            "Use 'max_completion_tokens' instead",
        ),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value", ">= 1"),
        ({"max_completion_tokens": 99_999}, "max_completion_tokens", "invalid_value", "16384"),
        ({"stream_options": {"include_usage": True}}, "stream_options", None, "'stream'"),
        ({"model": "gpt-5", "temperature": 0.2}, "temperature", "unsupported_value", "0.2"),
        ({"model": "gpt-5", "top_p": 0.2}, "top_p", "unsupported_value", "0.2"),
        ({"reasoning_effort": "low"}, "reasoning_effort", "unsupported_parameter", "model"),
        ({"tool_choice": "auto"}, "tool_choice", None, "'tools'"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls", None, "'tools'"),
        (chat_tool("no spaces"), "tools[0].function.name", "invalid_value", "pattern"),
        (chat_tool("x" * 65), "tools[0].function.name", "string_above_max_length", "64"),
        (
            {"tools": [{"type": "custom", "custom": {"name": "a b"}}]},
            "tools[0].custom.name",
            "invalid_value",
            "pattern",
        ),
        ({"functions": [{"name": "a b"}]}, "functions[0].name", "invalid_value", "pattern"),
        (
            chat_tool(schema=OPEN),
            "tools[0].function.parameters",
            "invalid_function_parameters",
            "In context=(), 'additionalProperties' is required",
        ),
        (
            chat_tool(schema={**CLOSED, "required": []}),
            "tools[0].function.parameters",
            "invalid_function_parameters",
            "Missing 'a'",
        ),
        (
            chat_tool(schema=inside(OPEN)),
            "tools[0].function.parameters",
            "invalid_function_parameters",
            "In context=('properties', 'list', 'items', 'anyOf', '0')",
        ),
        (
            chat_tool(schema={**CLOSED, "$defs": {"b": OPEN}}),
            "tools[0].function.parameters",
            "invalid_function_parameters",
            "In context=('$defs', 'b')",
        ),
        (
            chat_tool(schema={"type": "array", "items": CLOSED}),
            "tools[0].function.parameters",
            "invalid_function_parameters",
            "got 'type: \"array\"'",
        ),
        (chat_tool(), "tools[0].function.parameters", None, "got 'type: None'"),
        (chat_form(OPEN), "response_format.json_schema", "invalid_json_schema", "format 'n'"),
        (chat_form(CLOSED, "a b"), "response_format.json_schema.name", "invalid_value", "pattern"),
        (
            {"response_format": {"type": "json_object"}},
            "messages",
            None,
            "must contain the word 'json'",
        ),
        ({"metadata": dict.fromkeys(map(str, range(17)), "")}, "metadata", None, "16"),
        ({"metadata": {"k" * 65: ""}}, None, "string_above_max_length", "64"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length", "512"),
        ({"metadata": {"k": 1}}, "metadata.k", "invalid_type", "a string"),
    ],
)
def test_chat_requests_that_are_refused(
    fields: dict[str, Any], param: str | None, code: str | None, said: str
) -> None:
    failure = refused(OpenAIChat, fields)
    assert said in failure.message
    if param is not None:
        assert failure.param == param
    if code is not None:
        assert failure.code == code


def tool(name: str = "f", schema: Any = None, strict: bool = True) -> dict[str, Any]:
    return {"tools": [{"type": "function", "name": name, "strict": strict, "parameters": schema}]}


def form(schema: Any) -> dict[str, Any]:
    described = {"type": "json_schema", "name": "n", "strict": True, "schema": schema}
    return {"text": {"format": described}}


@pytest.mark.parametrize(
    ("fields", "param", "code", "said"),
    [
        ({"model": ...}, "model", "missing_required_parameter", "'model'"),
        ({"input": ...}, "input", "missing_required_parameter", '"input"'),
        ({"max_output_tokens": 15}, "max_output_tokens", "integer_below_min_value", ">= 16"),
        ({"max_output_tokens": 99_999}, "max_output_tokens", "invalid_value", "16384"),
        ({"stream_options": {}}, "stream_options", None, "'stream'"),
        ({"model": "gpt-5", "temperature": 0.2}, "temperature", "unsupported_value", "0.2"),
        ({"reasoning": {"effort": "low"}}, "reasoning.effort", "unsupported_parameter", "model"),
        (tool("a b"), "tools[0].name", "invalid_value", "pattern"),
        ({"tools": [{"type": "custom", "name": "a b"}]}, "tools[0].name", None, "pattern"),
        (
            tool(schema=OPEN),
            "tools[0].parameters",
            "invalid_function_parameters",
            "'additionalProperties'",
        ),
        (form(OPEN), "text.format", "invalid_json_schema", "'additionalProperties'"),
        ({"text": {"format": {"type": "json_object"}}}, "input", None, "the word 'json'"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length", "512"),
    ],
)
def test_responses_that_are_refused(
    fields: dict[str, Any], param: str, code: str | None, said: str
) -> None:
    failure = refused(OpenAIResponses, fields)
    assert said in failure.message
    assert failure.param == param
    if code is not None:
        assert failure.code == code


JSON_ITEM = {"role": "user", "content": [{"type": "input_text", "text": "As JSON, please"}]}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (OpenAIChat, {}),
        (OpenAIChat, {"stream": True, "stream_options": {"include_usage": True}}),
        (OpenAIChat, {"model": "gpt-5", "temperature": 1, "reasoning_effort": "low"}),
        (OpenAIChat, {"model": "gpt-5", "max_completion_tokens": 100}),
        (OpenAIChat, {"max_tokens": 16_384, "metadata": {"k": "v"}}),
        (OpenAIChat, chat_tool(schema=inside(CLOSED))),
        (OpenAIChat, chat_tool(schema=OPEN, strict=False)),
        (OpenAIChat, chat_form(inside(CLOSED))),
        (
            OpenAIChat,
            {
                "response_format": {"type": "json_object"},
                "messages": [{"role": "user", "content": [{"type": "text", "text": "json!"}]}],
            },
        ),
        (OpenAIResponses, {}),
        (OpenAIResponses, {"stream": True, "stream_options": {"include_obfuscation": False}}),
        (OpenAIResponses, {"input": None, "previous_response_id": "resp_1"}),
        (OpenAIResponses, {"input": None, "prompt": {"id": "pmpt_1"}}),
        (OpenAIResponses, {"model": "gpt-5", "reasoning": {"effort": "low"}}),
        (OpenAIResponses, tool(schema=CLOSED)),
        (OpenAIResponses, {"tools": [{"type": "function", "name": "f", "parameters": OPEN}]}),
        (OpenAIResponses, {"text": {"format": {"type": "json_object"}}, "input": "json"}),
        (OpenAIResponses, {"text": {"format": {"type": "json_object"}}, "input": [JSON_ITEM]}),
        (
            OpenAIResponses,
            {"text": {"format": {"type": "json_object"}}, "instructions": "Say JSON"},
        ),
        (OpenAIResponses, form(CLOSED)),
    ],
)
def test_what_keeps_the_rules_is_taken(kind: type, fields: dict[str, Any]) -> None:
    body = orjson.dumps(SMALL[kind] | fields)
    codec: Codec = kind(strict=True)
    lenient: Codec = kind()
    assert codec.decode(body).messages == lenient.decode(body).messages
