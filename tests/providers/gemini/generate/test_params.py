"""Gemini's requests in neutral terms, and what is refused."""

from contextlib import suppress
from typing import Any

import orjson
import pytest
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Format, Request, Thinking, ToolChoice
from llmsim.core.errors import BadRequest, Failure
from llmsim.providers.gemini.generate import params

HI = [{"role": "user", "parts": [{"text": "hi"}]}]
WEATHER = {
    "name": "get_weather",
    "description": "The weather",
    "parameters": {
        "type": "OBJECT",
        "properties": {"city": {"type": "STRING"}},
        "required": ["city"],
    },
}
TIME = {"name": "get_time", "parametersJsonSchema": {"type": "object", "properties": {}}}
TOOLS = [{"functionDeclarations": [WEATHER, TIME]}, {"googleSearch": {}}]


def read(body: Any, model: str | None = "gemini-2.5-pro", stream: bool = False) -> Request:
    return params.read(orjson.dumps(body), model, stream)


def refused(body: Any) -> Failure:
    with pytest.raises(BadRequest) as raised:
        read(body)
    return raised.value.failure


def configured(**config: Any) -> Request:
    return read({"contents": HI, "generationConfig": config})


def test_the_least_request() -> None:
    request = read({"contents": HI}, stream=True)
    assert (request.model, request.stream, request.n) == ("gemini-2.5-pro", True, 1)
    assert (request.max_tokens, request.seed, request.thinking, request.format) == (
        None,
        None,
        None,
        None,
    )
    assert (request.logprobs, request.stop, request.tools) == (None, (), ())


def test_the_generation_config() -> None:
    request = configured(
        maxOutputTokens=50,
        stopSequences=["END", "\n"],
        candidateCount=2,
        seed=-7,
        temperature=0.5,
        topP=0.9,
        topK=40,
        responseLogprobs=True,
        logprobs=3,
    )
    assert (request.max_tokens, request.stop, request.n, request.seed) == (50, ("END", "\n"), 2, -7)
    assert request.logprobs == 3


@pytest.mark.parametrize(
    ("config", "thinking"),
    [
        ({"thinkingBudget": 0}, Thinking("none", 0)),
        ({"thinkingBudget": -1}, Thinking(wanted=True)),
        ({"thinkingBudget": 100}, Thinking(None, 100, wanted=True)),
        ({"includeThoughts": True}, Thinking(visible=True, wanted=True)),
        ({"includeThoughts": False}, Thinking()),
        ({"thinkingLevel": "LOW"}, Thinking("low", wanted=True)),
        ({"thinkingLevel": "minimal"}, Thinking("minimal", wanted=True)),
        (
            {"thinkingLevel": "high", "includeThoughts": True},
            Thinking("high", None, True, True),
        ),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, Thinking(wanted=True)),
        ({}, Thinking()),
    ],
)
def test_thinking(config: dict[str, Any], thinking: Thinking) -> None:
    assert configured(thinkingConfig=config).thinking == thinking


SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}}


@pytest.mark.parametrize(
    ("config", "form"),
    [
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "application/json"}, Format()),
        ({"responseMimeType": "application/json", "responseSchema": SCHEMA}, Format(SCHEMA)),
        ({"responseSchema": SCHEMA}, Format(SCHEMA)),
        ({"responseJsonSchema": {"type": "object"}}, Format({"type": "object"})),
        (
            {"responseMimeType": "text/x.enum", "responseSchema": {"enum": ["a"]}},
            Format({"enum": ["a"]}, bare=True),
        ),
    ],
)
def test_the_form_of_the_answer(config: dict[str, Any], form: Format | None) -> None:
    assert configured(**config).format == form


def test_functions_on_offer() -> None:
    first, second, search = read({"contents": HI, "tools": TOOLS}).tools
    assert (first.name, first.description, first.schema) == (
        "get_weather",
        "The weather",
        WEATHER["parameters"],
    )
    assert (second.name, second.description, second.schema) == (
        "get_time",
        "",
        {"type": "object", "properties": {}},
    )
    assert (search.name, bool(search.hosted)) == ("google_search", True)


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({}, ToolChoice("auto")),
        ({"mode": "AUTO"}, ToolChoice("auto")),
        ({"mode": "auto"}, ToolChoice("auto")),
        ({"mode": "VALIDATED"}, ToolChoice("auto")),
        ({"mode": "NONE"}, ToolChoice("none")),
        ({"mode": "ANY"}, ToolChoice("required")),
        (
            {"mode": "ANY", "allowedFunctionNames": ["get_time"]},
            ToolChoice("required", ("get_time",)),
        ),
        (
            {"mode": "VALIDATED", "allowedFunctionNames": ["get_time"]},
            ToolChoice("auto", ("get_time",)),
        ),
        ({"mode": "AUTO", "allowedFunctionNames": []}, ToolChoice("auto")),
    ],
)
def test_which_function_is_to_be_called(config: dict[str, Any], choice: ToolChoice) -> None:
    body = {"contents": HI, "tools": TOOLS, "toolConfig": {"functionCallingConfig": config}}
    assert read(body).choice == choice


def test_what_has_no_meaning_here_is_passed_over() -> None:
    body = {
        "contents": HI,
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "cachedContent": "cachedContents/x",
        "labels": {"a": "b"},
        "somethingNew": 1,
    }
    assert read(body) == read({"contents": HI})


def test_the_sdks_own_objects_are_read() -> None:
    function = types.FunctionDeclaration(**WEATHER)
    body = {
        "contents": [types.UserContent("hi").model_dump(mode="json", by_alias=True)],
        "tools": [
            types.Tool(function_declarations=[function]).model_dump(
                mode="json", by_alias=True, exclude_none=True
            )
        ],
        "generationConfig": types.GenerationConfig(
            thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
        ).model_dump(mode="json", by_alias=True),
    }
    request = read(body)
    assert request.messages[0].text == "hi"
    assert request.tools[0].name == "get_weather"
    assert request.thinking == Thinking("low", wanted=True)


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ([], None, "Root element must be a message"),
        ({}, "contents", "contents is not specified"),
        ({"contents": []}, "contents", "contents is not specified"),
        ({"contents": 3}, "contents", "Invalid value at 'contents'"),
        (
            {"contents": HI, "generationConfig": {"maxOutputTokens": "many"}},
            "generation_config.max_output_tokens",
            "(TYPE_INT32), got TYPE_STRING",
        ),
        (
            {"contents": HI, "generationConfig": {"maxOutputTokens": 0}},
            "generation_config.max_output_tokens",
            "max_output_tokens must be at least 1",
        ),
        (
            {"contents": HI, "generationConfig": {"candidateCount": 9}},
            "generation_config.candidate_count",
            "at most 8",
        ),
        (
            {"contents": HI, "generationConfig": {"stopSequences": list("abcdef")}},
            "generation_config.stop_sequences",
            "must not be longer than 5",
        ),
        (
            {"contents": HI, "generationConfig": {"temperature": 2.1}},
            "generation_config.temperature",
            "at most 2",
        ),
        (
            {"contents": HI, "generationConfig": {"logprobs": 2}},
            "generation_config.logprobs",
            "response_logprobs",
        ),
        (
            {"contents": HI, "generationConfig": {"responseMimeType": "image/png"}},
            "generation_config.response_mime_type",
            "allowed mimetypes",
        ),
        (
            {
                "contents": HI,
                "generationConfig": {"responseMimeType": "text/plain", "responseSchema": {}},
            },
            "generation_config.response_schema",
            "application/json",
        ),
        (
            {"contents": HI, "generationConfig": {"thinkingConfig": {"thinkingLevel": "hard"}}},
            "generation_config.thinking_config.thinking_level",
            '"hard"',
        ),
        (
            {
                "contents": HI,
                "generationConfig": {
                    "thinkingConfig": {"thinkingLevel": "low", "thinkingBudget": 1}
                },
            },
            "generation_config.thinking_config",
            "only one of thinking budget and thinking level",
        ),
        (
            {"contents": HI, "generationConfig": {"thinkingConfig": {"thinkingBudget": -2}}},
            "generation_config.thinking_config.thinking_budget",
            "at least -1",
        ),
        (
            {"contents": HI, "tools": [{"functionDeclarations": [{"name": "no spaces"}]}]},
            "tools[0].function_declarations[0].name",
            "Invalid function name",
        ),
        (
            {
                "contents": HI,
                "tools": [
                    {"functionDeclarations": [{"name": "f", "parameters": {"type": "STRING"}}]}
                ],
            },
            "tools[0].function_declarations[0].parameters",
            "should be of type OBJECT",
        ),
        (
            {
                "contents": HI,
                "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": 1}]}],
            },
            "tools[0].function_declarations[0].parameters_json_schema",
            "should be of type OBJECT",
        ),
        (
            {
                "contents": HI,
                "tools": TOOLS,
                "toolConfig": {"functionCallingConfig": {"mode": "SOME"}},
            },
            "tool_config.function_calling_config.mode",
            '"SOME"',
        ),
        (
            {
                "contents": HI,
                "tools": TOOLS,
                "toolConfig": {
                    "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["other"]}
                },
            },
            "tool_config.function_calling_config.allowed_function_names",
            "'other'",
        ),
        (
            {
                "contents": HI,
                "tools": TOOLS,
                "toolConfig": {
                    "functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["get_time"]}
                },
            },
            "tool_config.function_calling_config.allowed_function_names",
            "ANY or VALIDATED",
        ),
    ],
)
def test_what_is_wrong_is_named(body: Any, param: str | None, said: str) -> None:
    failure = refused(body)
    assert failure.param == param
    assert said in failure.message


@pytest.mark.parametrize("body", [b"", b"{", b'{"contents":', b"\xff", b"[" * 10_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="Invalid JSON payload received"):
        params.read(body, "x", False)


@pytest.mark.parametrize("model", [None, ""])
def test_a_body_alone_has_to_name_the_model(model: str | None) -> None:
    with pytest.raises(BadRequest, match="model is not specified"):
        read({"contents": HI, "model": model}, model=None)


TURNS = st.lists(
    st.tuples(
        st.sampled_from(["user", "model", None]), st.lists(st.text(), min_size=1, max_size=3)
    ),
    min_size=1,
    max_size=6,
)


@given(TURNS, st.none() | st.text())
def test_plain_text_reads_the_same_the_short_way(
    turns: list[tuple[str | None, list[str]]], system: str | None
) -> None:
    contents = [
        {"parts": [{"text": text} for text in said]} | ({"role": role} if role else {})
        for role, said in turns
    ]
    short = {"contents": contents, "systemInstruction": system}
    long = {**short, "contents": [{**one, "other": 1} for one in contents]}
    assert read(short).messages == read(long).messages


json = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
keys = st.sampled_from(
    ["text", "role", "parts", "functionCall", "functionResponse", "name", "args", "id", "thought",
     "inlineData", "mimeType", "data", "fileData", "executableCode", "code"]
)  # fmt: skip
shapes = st.recursive(
    json,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(shapes, max_size=3) | shapes, st.none() | shapes)
def test_any_body_is_read_or_refused(contents: Any, system: Any) -> None:
    body = orjson.dumps({"contents": contents, "systemInstruction": system})
    with suppress(BadRequest):
        assert params.read(body, "x", False).model == "x"
