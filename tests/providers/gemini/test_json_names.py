"""Bodies in snake_case are read as those in camelCase."""

from typing import Any

import orjson
import pytest

from llmsim.providers.gemini.generate.params import AnyGenerateRequest
from llmsim.providers.gemini.json_names import SCHEMA, Reader
from llmsim.providers.wire.decoding import MalformedBody

READER: Reader[AnyGenerateRequest] = Reader(AnyGenerateRequest)
CAMEL: dict[str, Any] = {
    "systemInstruction": {"parts": [{"text": "be brief"}]},
    "contents": [
        {"role": "user", "parts": [{"text": "a"}, {"inlineData": {"mimeType": "b", "data": "c"}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"tool_config": 1}}}]},
        {"parts": [{"functionResponse": {"name": "f", "response": {"mime_type": {"top_p": 1}}}}]},
        {"parts": [{"fileData": {"fileUri": "d", "mimeType": "e"}, "thoughtSignature": "f"}]},
    ],
    "generationConfig": {
        "maxOutputTokens": 5,
        "stopSequences": ["x"],
        "topP": 0.5,
        "responseMimeType": "application/json",
        "responseSchema": {
            "anyOf": [{"type": "ARRAY", "maxItems": "3", "items": {"type": "STRING"}}],
            "properties": {"max_items": {"type": "INTEGER"}, "any_of": {"minLength": 1}},
            "propertyOrdering": ["max_items", "any_of"],
            "required": ["any_of"],
            "default": {"any_of": []},
        },
        "thinkingConfig": {"thinkingBudget": 1, "includeThoughts": True},
    },
    "tools": [
        {
            "functionDeclarations": [
                {"name": "f", "parameters": {"properties": {"top_k": {"minItems": 1}}}},
                {"name": "g", "parametersJsonSchema": {"properties": {"x": {"min_items": 1}}}},
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
}
SNAKE: dict[str, Any] = {
    "system_instruction": {"parts": [{"text": "be brief"}]},
    "contents": [
        {
            "role": "user",
            "parts": [{"text": "a"}, {"inline_data": {"mime_type": "b", "data": "c"}}],
        },
        {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"tool_config": 1}}}]},
        {"parts": [{"function_response": {"name": "f", "response": {"mime_type": {"top_p": 1}}}}]},
        {"parts": [{"file_data": {"file_uri": "d", "mime_type": "e"}, "thought_signature": "f"}]},
    ],
    "generation_config": {
        "max_output_tokens": 5,
        "stop_sequences": ["x"],
        "top_p": 0.5,
        "response_mime_type": "application/json",
        "response_schema": {
            "any_of": [{"type": "ARRAY", "max_items": "3", "items": {"type": "STRING"}}],
            "properties": {"max_items": {"type": "INTEGER"}, "any_of": {"min_length": 1}},
            "property_ordering": ["max_items", "any_of"],
            "required": ["any_of"],
            "default": {"any_of": []},
        },
        "thinking_config": {"thinking_budget": 1, "include_thoughts": True},
    },
    "tools": [
        {
            "function_declarations": [
                {"name": "f", "parameters": {"properties": {"top_k": {"min_items": 1}}}},
                {"name": "g", "parameters_json_schema": {"properties": {"x": {"min_items": 1}}}},
            ]
        }
    ],
    "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
}


def read(body: Any) -> AnyGenerateRequest:
    return READER.read(orjson.dumps(body))


def test_both_spellings_read_the_same() -> None:
    assert read(SNAKE) == read(CAMEL)


@pytest.mark.parametrize(("camel", "snake"), list(zip(CAMEL, SNAKE, strict=True)))
def test_spellings_may_be_mixed(camel: str, snake: str) -> None:
    mixed = {name: value for name, value in CAMEL.items() if name != camel}
    assert read({**mixed, snake: SNAKE[snake]}) == read(CAMEL)


@pytest.mark.parametrize("space", [b"", b" ", b"\n\t"])
def test_space_before_the_colon_hides_nothing(space: bytes) -> None:
    body = b'{"contents":"a","generation_config"' + space + b':{"seed":3}}'
    config = READER.read(body).generation_config
    assert config is not None
    assert config.seed == 3


@pytest.mark.parametrize(
    "text", ['{"generation_config": 1}', '"tool_config":', 'x_y "system_instruction":']
)
def test_what_users_write_stays_as_it_is(text: str) -> None:
    assert read({"contents": text}).contents == text


def test_names_of_schemas_are_real_keywords() -> None:
    assert SCHEMA["any_of"] == "anyOf"
    assert all("_" not in name for name in SCHEMA.values())


def test_a_mistake_is_named_in_either_spelling() -> None:
    for body in ({"generationConfig": {"seed": "x"}}, {"generation_config": {"seed": "x"}}):
        with pytest.raises(MalformedBody) as raised:
            read({"contents": "a", **body})
        assert raised.value.path == "generationConfig.seed"
