"""What Anthropic's API refuses only where validation is strict."""

from typing import Any

import orjson
import pytest

from llmsim.core.errors import BadRequest, FailureKind
from llmsim.providers.anthropic.messages import strict as messages_strict
from llmsim.providers.anthropic.messages.codec import Anthropic, AnthropicCount

LENIENT, STRICT = Anthropic(), Anthropic(strict=True)
HI = {"role": "user", "content": "hi"}


def body(**fields: Any) -> bytes:
    params = {"model": "claude-haiku-4-5", "max_tokens": 2048, "messages": [HI], **fields}
    return orjson.dumps({name: value for name, value in params.items() if value is not ...})


def block(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [fields]}]}


THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
PICTURE = {"type": "base64", "media_type": "image/tiff", "data": "aa"}

CASES: list[tuple[dict[str, Any], str]] = [
    (
        {"max_tokens": 64_001},
        "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for "
        "claude-haiku-4-5",
    ),
    ({"model": "claude-nobody"}, "model: claude-nobody"),
    (
        {"tools": [{"name": "a b", "input_schema": {"type": "object"}}]},
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    (
        {"tools": [{"name": "a", "input_schema": {}}]},
        "tools.0.custom.input_schema.type: Field required",
    ),
    (
        {"tools": [{"name": "a", "input_schema": {"type": "string"}}]},
        "tools.0.custom.input_schema.type: Input should be 'object'",
    ),
    (
        {
            "tools": [
                {"name": "a", "input_schema": {"type": "object", "properties": {"place": "bar"}}}
            ]
        },
        "tools.0.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft "
        "2020-12 (https://json-schema.org/draft/2020-12).",
    ),
    (block(type="text", text=""), "messages: text content blocks must be non-empty"),
    (
        block(type="image", source=PICTURE),
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', "
        "'image/png', 'image/gif' or 'image/webp'",
    ),
    (
        {**THINKING, "temperature": 0.5},
        "`temperature` may only be set to 1 when thinking is enabled.",
    ),
    ({**THINKING, "top_k": 5}, "`top_k` must be unset when thinking is enabled."),
    (
        {"messages": [HI, {"role": "assistant", "content": "I am "}]},
        "messages: final assistant content cannot end with trailing whitespace",
    ),
]


@pytest.mark.parametrize(("fields", "said"), CASES)
def test_what_only_strict_validation_refuses(fields: dict[str, Any], said: str) -> None:
    assert LENIENT.decode(body(**fields))
    with pytest.raises(BadRequest) as caught:
        STRICT.decode(body(**fields))
    assert caught.value.failure.message == said


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"max_tokens": 64_000},
        {**THINKING, "temperature": 1.0},
        {"temperature": 0.3, "top_k": 4},
        {"messages": [HI, {"role": "assistant", "content": [{"type": "text", "text": "I am"}]}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    ],
)
def test_what_is_let_pass(fields: dict[str, Any]) -> None:
    assert STRICT.decode(body(**fields)) == LENIENT.decode(body(**fields))


def test_an_unknown_model_is_not_found() -> None:
    with pytest.raises(BadRequest) as caught:
        STRICT.decode(body(model="claude-nobody"))
    assert caught.value.failure.kind is FailureKind.MODEL_NOT_FOUND


def test_a_prompt_to_count_is_checked_too() -> None:
    with pytest.raises(BadRequest, match="non-empty"):
        AnthropicCount(strict=True).decode(body(max_tokens=..., **block(type="text", text="")))


def test_the_version_header_is_required() -> None:
    messages_strict.check_version("2023-06-01")
    with pytest.raises(BadRequest, match="anthropic-version: header is required"):
        messages_strict.check_version(None)
