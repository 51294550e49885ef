"""Responses: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from collections.abc import Iterator

from llmsim.core.errors import invalid
from llmsim.providers.openai import strict as openai_strict
from llmsim.providers.openai.responses.params import ResponsesRequest
from llmsim.providers.openai.responses.tools import JsonFormat, SchemaFormat

LEAST_TOKENS = 16
"""The lowest ``max_output_tokens`` there may be."""


def check(given: ResponsesRequest) -> None:
    """Raises BadRequest for the first rule that a request breaks."""
    model = _check_present(given)
    openai_strict.check_streaming(given.stream_options, given.stream)
    limit = given.max_output_tokens
    openai_strict.check_limit(model, limit, "max_output_tokens", LEAST_TOKENS)
    effort = given.reasoning.effort if given.reasoning is not None else None
    openai_strict.check_sampling(model, given.temperature, given.top_p, effort, "reasoning.effort")
    openai_strict.check_metadata(given.metadata)
    for place, tool in enumerate(given.tools or ()):
        where = f"tools[{place}]"
        if tool["type"] == "function":
            openai_strict.check_function(
                tool["name"], tool.get("strict"), tool.get("parameters"), where
            )
        elif tool["type"] == "custom":
            openai_strict.check_name(tool["name"], f"{where}.name")
    _check_form(given)


def _check_present(given: ResponsesRequest) -> str:
    """What must be there; gives the model."""
    if given.model is None:
        message = "Missing required parameter: 'model'."
        raise invalid(message, "model", "missing_required_parameter")
    if given.input is None and not (given.prompt or given.continues):
        message = (
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must "
            "be provided."
        )
        raise invalid(message, "input", "missing_required_parameter")
    return given.model


def _check_form(given: ResponsesRequest) -> None:
    match given.text.format if given.text is not None else None:
        case JsonFormat() if not any(map(openai_strict.JSON.search, _texts(given))):
            message = (
                "Response input messages must contain the word 'json' in some form to use "
                "'text.format' of type 'json_object'."
            )
            raise invalid(message, "input")
        case SchemaFormat(name=name, strict=strict, schema=schema):
            openai_strict.check_form(name, strict, schema, "text.format")


def _texts(given: ResponsesRequest) -> Iterator[str]:
    yield given.instructions or ""
    if isinstance(given.input, str):
        yield given.input
    for item in given.items:
        if isinstance(item.content, str):
            yield item.content
        else:
            yield from (part.text for part in item.content or () if part.text is not None)
