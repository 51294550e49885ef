"""Chat completions: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from llmsim.core.catalog import models
from llmsim.core.errors import invalid
from llmsim.providers.openai.chat.messages import TextPart
from llmsim.providers.openai.chat.params import ChatRequest
from llmsim.providers.openai.chat.tools import FunctionTool, JsonFormat, SchemaFormat
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


def check(params: ChatRequest) -> None:
    """Raises BadRequest for the first rule that a request breaks."""
    check_streaming(params.stream_options, params.stream)
    _check_limits(params)
    check_sampling(
        params.model, params.temperature, params.top_p, params.reasoning_effort, "reasoning_effort"
    )
    check_metadata(params.metadata)
    _check_tools(params)
    _check_response_format(params)


def _check_limits(params: ChatRequest) -> None:
    if params.max_tokens is not None and params.max_completion_tokens is not None:
        message = (
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        )
        raise invalid(message, "max_tokens", "invalid_parameter_combination")
    if params.max_tokens is not None and models.resolve(params.model).reasoning:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead."
        )
        raise invalid(message, "max_tokens", "unsupported_parameter")
    check_limit(params.model, params.max_tokens, "max_tokens")
    check_limit(params.model, params.max_completion_tokens, "max_completion_tokens")


def _check_tools(params: ChatRequest) -> None:
    if params.tools is None:
        for param in ("tool_choice", "parallel_tool_calls"):
            if getattr(params, param) is not None:
                message = f"'{param}' is only allowed when 'tools' are specified."
                raise invalid(message, param)
    for place, tool in enumerate(params.tools or ()):
        if isinstance(tool, FunctionTool):
            function = tool.function
            where = f"tools[{place}].function"
            check_function(function.name, function.strict, function.parameters, where)
        else:
            check_name(tool.custom.name, f"tools[{place}].custom.name")
    for place, function in enumerate(params.functions or ()):
        check_name(function.name, f"functions[{place}].name")


def _check_response_format(params: ChatRequest) -> None:
    match params.response_format:
        case JsonFormat() if not _mentions_json(params):
            message = (
                "'messages' must contain the word 'json' in some form, to use 'response_format' "
                "of type 'json_object'."
            )
            raise invalid(message, "messages")
        case SchemaFormat(json_schema=json_schema):
            check_schema_format(
                json_schema.name,
                json_schema.strict,
                json_schema.schema,
                "response_format.json_schema",
            )


def _mentions_json(params: ChatRequest) -> bool:
    for message in params.messages:
        content = message.content
        texts = (
            [content]
            if isinstance(content, str)
            else [part.text for part in content or () if isinstance(part, TextPart)]
        )
        if any(map(JSON.search, texts)):
            return True
    return False
