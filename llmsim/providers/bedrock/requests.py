"""Converse: a request in Anthropic's words, so that Anthropic's codec reads it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import orjson
from msgspec import Struct

from llmsim.core.catalog import models
from llmsim.core.catalog.models import hosted_name
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.wire.decoding import MalformedBody, decode


class ConverseMessage(Struct):
    role: Literal["user", "assistant", "system"]
    content: list[dict[str, Any]]


class InferenceConfig(Struct, rename="camel"):
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None


class ToolConfig(Struct, rename="camel"):
    tools: list[dict[str, Any]]
    tool_choice: dict[str, Any] | None = None


class GuardrailConfig(Struct, rename="camel"):
    guardrail_identifier: str | None = None
    guardrail_version: str | None = None
    trace: Literal["enabled", "disabled", "enabled_full"] | None = None


class ConverseRequest(Struct, rename="camel"):
    """The fields llmsim reads. ``model`` and ``stream`` are not Bedrock's: they are for bodies
    without a path, which would say it."""

    messages: list[ConverseMessage]
    system: list[dict[str, Any]] | None = None
    inference_config: InferenceConfig | None = None
    tool_config: ToolConfig | None = None
    guardrail_config: GuardrailConfig | None = None
    additional_model_request_fields: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None
    model: str | None = None
    stream: bool | None = None


_decoder = msgspec.json.Decoder(ConverseRequest)

FORMATS = {"jpg": "jpeg"}


def refuse(mistake: MalformedBody) -> BadRequest:
    """A malformed body in AWS's words."""
    if mistake.problem == "json":
        return invalid("Unable to parse the request body as JSON.")
    if mistake.problem == "missing":
        return invalid(
            f"1 validation error detected: Value at '{mistake.path}' failed to satisfy constraint: "
            "Member must not be null",
            mistake.path,
        )
    return invalid(
        f"1 validation error detected: Value at '{mistake.path}' failed to satisfy constraint: "
        f"expected {mistake.expected or 'another value'}, got {mistake.got}",
        mistake.path,
    )


def read(body: bytes) -> ConverseRequest:
    """The request as it is on the wire. Raises BadRequest."""
    try:
        return decode(_decoder, body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None


def in_anthropics_words(wire: ConverseRequest, model: str, stream: bool) -> bytes:
    """The body of a Messages request that asks for the same. Raises BadRequest."""
    config = wire.inference_config or InferenceConfig()
    most = models.resolve(model).max_output_tokens
    made: dict[str, Any] = {
        "model": hosted_name(model),
        "max_tokens": most if config.max_tokens is None else config.max_tokens,
        "stream": stream,
    }
    try:
        made["messages"] = [
            {"role": message.role, "content": _blocks(message.content)} for message in wire.messages
        ]
        if wire.system:
            made["system"] = _blocks(wire.system)
        if wire.tool_config is not None:
            made |= _tools(wire.tool_config)
        for name in ("temperature", "top_p", "stop_sequences"):
            value = getattr(config, name)
            if value is not None:
                made[name] = value
        # What cannot be written, such as numbers of more than 64 bits, is wrong, too.
        return orjson.dumps(made | (wire.additional_model_request_fields or {}))
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration) as error:
        message = f"The format of the content field is not valid: {error}"
        raise invalid(message, "messages") from None


def _tools(config: ToolConfig) -> dict[str, Any]:
    tools: list[dict[str, Any]] = []
    for tool in config.tools:
        if "cachePoint" in tool and tools:
            tools[-1]["cache_control"] = _cache(tool["cachePoint"])
        if "toolSpec" not in tool:
            continue
        spec = tool["toolSpec"]
        made = {"name": spec["name"], "input_schema": spec["inputSchema"]["json"]}
        if spec.get("description"):
            made["description"] = spec["description"]
        tools.append(made)
    if not tools:
        return {}
    made_tools: dict[str, Any] = {"tools": tools}
    for kind, choice in (config.tool_choice or {}).items():
        made_tools["tool_choice"] = {"type": kind, **choice}
    return made_tools


def _cache(point: dict[str, Any]) -> dict[str, Any]:
    return {"type": "ephemeral", **({"ttl": point["ttl"]} if point.get("ttl") else {})}


def _blocks(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Content blocks; a point up to which the prompt is cached is a mark on the block before it."""
    made: list[dict[str, Any]] = []
    for block in blocks:
        kind, value = next(iter(block.items()))
        if kind != "cachePoint":
            made.append(_block(kind, value))
        elif made:
            made[-1]["cache_control"] = _cache(value)
    return made


def _block(kind: str, value: Any) -> dict[str, Any]:  # noqa: PLR0911  one return a kind
    """One block. Raises ValueError for one that nobody knows."""
    match kind:
        case "text":
            return {"type": "text", "text": value}
        case "json":
            return {"type": "text", "text": orjson.dumps(value).decode()}
        case "guardContent":
            return {"type": "text", "text": value.get("text", {}).get("text", "")}
        case "image":
            form = FORMATS.get(value["format"], value["format"])
            return {"type": "image", "source": _source(value["source"], f"image/{form}")}
        case "document":
            kind = "application/pdf" if value.get("format") == "pdf" else "text/plain"
            return {"type": "document", "source": _source(value["source"], kind)}
        case "toolUse":
            called = {"id": value["toolUseId"], "name": value["name"], "input": value["input"]}
            return {"type": "tool_use", **called}
        case "toolResult":
            result = {"tool_use_id": value["toolUseId"], "content": _blocks(value["content"])}
            failed = value.get("status") == "error"
            return {"type": "tool_result", **result, **({"is_error": True} if failed else {})}
        case "reasoningContent":
            if "redactedContent" in value:
                return {"type": "redacted_thinking", "data": value["redactedContent"]}
            thought = value["reasoningText"]
            signed = thought.get("signature", "")
            return {"type": "thinking", "thinking": thought["text"], "signature": signed}
        case _:
            raise ValueError(f"{kind} is not supported")


def _source(source: dict[str, Any], media_type: str) -> dict[str, Any]:
    """Where a medium is. What is in a bucket is not fetched."""
    if "s3Location" in source:
        return {"type": "url", "url": source["s3Location"]["uri"]}
    if "text" in source:
        return {"type": "text", "media_type": "text/plain", "data": source["text"]}
    return {"type": "base64", "media_type": media_type, "data": source["bytes"]}
