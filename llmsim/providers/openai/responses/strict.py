"""Responses: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from collections.abc import Iterator

from llmsim.core.errors import invalid
from llmsim.providers.openai.responses.params import ResponsesRequest
from llmsim.providers.openai.responses.tools import JsonFormat, SchemaFormat
from llmsim.providers.openai.strict import (
    JSON,
    check_function,
    check_limit,
    check_metadata,
    check_name,
    check_sampling,
    check_schema_format,
    check_streaming,
)

LEAST_TOKENS = 16
"""The lowest ``max_output_tokens`` there may be."""


def check(params: ResponsesRequest) -> None:
    """Raises BadRequest for the first rule that a request breaks."""
    model = _check_present(params)
    check_streaming(params.stream_options, params.stream)
    limit = params.max_output_tokens
    check_limit(model, limit, "max_output_tokens", LEAST_TOKENS)
    effort = params.reasoning.effort if params.reasoning is not None else None
    check_sampling(model, params.temperature, params.top_p, effort, "reasoning.effort")
    check_metadata(params.metadata)
    for place, tool in enumerate(params.tools or ()):
        where = f"tools[{place}]"
        if tool["type"] == "function":
            check_function(tool["name"], tool.get("strict"), tool.get("parameters"), where)
        elif tool["type"] == "custom":
            check_name(tool["name"], f"{where}.name")
    _check_text_format(params)


def _check_present(params: ResponsesRequest) -> str:
    """The parameters that must be there. Returns the model. Raises BadRequest."""
    if params.model is None:
        message = "Missing required parameter: 'model'."
        raise invalid(message, "model", "missing_required_parameter")
    if params.input is None and not (params.prompt or params.continues):
        message = (
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must "
            "be provided."
        )
        raise invalid(message, "input", "missing_required_parameter")
    return params.model


def _check_text_format(params: ResponsesRequest) -> None:
    match params.text.format if params.text is not None else None:
        case JsonFormat() if not any(map(JSON.search, _texts(params))):
            message = (
                "Response input messages must contain the word 'json' in some form to use "
                "'text.format' of type 'json_object'."
            )
            raise invalid(message, "input")
        case SchemaFormat(name=name, strict=strict, schema=schema):
            check_schema_format(name, strict, schema, "text.format")


def _texts(params: ResponsesRequest) -> Iterator[str]:
    yield params.instructions or ""
    if isinstance(params.input, str):
        yield params.input
    for item in params.items:
        if isinstance(item.content, str):
            yield item.content
        else:
            yield from (part.text for part in item.content or () if part.text is not None)
