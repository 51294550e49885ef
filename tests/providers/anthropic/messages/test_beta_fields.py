"""What is newer than the API's known version passes where validation is lenient."""

from typing import Any

import orjson
import pytest

from llmsim.core import Request, Thinking
from llmsim.core.errors import BadRequest
from llmsim.providers.anthropic.messages import beta_fields
from llmsim.providers.anthropic.messages.codec import Anthropic, AnthropicCount
from llmsim.providers.anthropic.messages.params import read

HI = {"role": "user", "content": "hi"}
TEXT = {"type": "text", "text": "hi"}
SHAPE = {"type": "hologram", "data": "x" * 40}
TOOL = {"name": "t", "input_schema": {"type": "object"}}
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "t", "input": {}}]}
FOREVER = {"cache_control": {"type": "ephemeral", "ttl": "24h"}}


def body(**fields: Any) -> bytes:
    sent = {"model": "claude-haiku-4-5", "max_tokens": 2048, "messages": [HI], **fields}
    return orjson.dumps(sent)


def said(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


def returned(*blocks: dict[str, Any]) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": "a", "content": list(blocks)}
    return {"messages": [HI, CALL, {"role": "user", "content": [result]}]}


NEWER: list[dict[str, Any]] = [
    {"service_tier": "flex"},
    {"output_config": {"effort": "ultra"}},
    {"output_config": {"format": {"type": "grammar"}}},
    {"output_format": {"type": "grammar"}},
    {"thinking": {"type": "dreaming"}},
    {"thinking": {"type": "adaptive", "display": "full"}},
    {"cache_control": {"type": "persistent"}},
    FOREVER,
    {"tools": [TOOL], "tool_choice": {"type": "validated"}},
    {"tools": [TOOL | FOREVER]},
    {"system": [SHAPE, TEXT]},
    said(SHAPE, TEXT),
    said(TEXT | FOREVER),
    said({"type": "image", "source": {"type": "bucket", "uri": "u"}}),
    said({"type": "document", "source": {"type": "bucket", "uri": "u"}}),
    said({"type": "document", "source": {"type": "content", "content": [SHAPE]}}),
    returned(SHAPE, TEXT),
]


@pytest.mark.parametrize("fields", NEWER, ids=lambda fields: orjson.dumps(fields).decode()[:60])
def test_lenient_passes_what_strict_refuses(fields: dict[str, Any]) -> None:
    for lenient, strict in (
        (Anthropic(), Anthropic(True)),
        (AnthropicCount(), AnthropicCount(True)),
    ):
        if lenient.name == "anthropic_count" and "service_tier" in fields:
            continue
        assert isinstance(lenient.decode(body(**fields)), Request)
        with pytest.raises(BadRequest):
            strict.decode(body(**fields))


def test_a_new_block_counts_and_says_nothing() -> None:
    message = read(body(**said(SHAPE, TEXT))).messages[0]
    assert message.text == "hi"
    assert message.extra > 10


def test_what_is_known_stays() -> None:
    request = read(
        body(service_tier="flex", thinking={"type": "adaptive"}, output_config={"effort": "low"})
    )
    assert request.thinking == Thinking("low", visible=True, wanted=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "robot", "content": "x"}]},
        {"service_tier": "flex", "max_tokens": "many"},
        said({"type": 5}),
        {"service_tier": 5},
        {"tools": 5, "service_tier": "flex"},
        {"messages": "hi", "service_tier": "flex"},
    ],
)
def test_mistakes_are_still_mistakes(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        read(body(**fields))


@pytest.mark.parametrize("sent", [b"[]", b"1", b'{"messages":[1],"tools":[1],"thinking":2}'])
def test_odd_bodies_stay_as_they_are(sent: bytes) -> None:
    assert beta_fields.known(sent) == sent


@pytest.mark.parametrize("number", [b"1e999", b"9" * 400])
def test_a_number_no_double_holds_is_a_bad_request(number: bytes) -> None:
    with pytest.raises(BadRequest):
        read(body(temperature=0).replace(b'"temperature":0', b'"temperature":' + number))
