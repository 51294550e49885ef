"""Chat completions: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from llmsim.core.catalog import models
from llmsim.core.errors import invalid
from llmsim.providers.openai import strict as openai_strict
from llmsim.providers.openai.chat.messages import TextPart
from llmsim.providers.openai.chat.params import ChatRequest
from llmsim.providers.openai.chat.tools import FunctionTool, JsonFormat, SchemaFormat


def check(given: ChatRequest) -> None:
    """Raises BadRequest for the first rule that a request breaks."""
    openai_strict.check_streaming(given.stream_options, given.stream)
    _check_limits(given)
    openai_strict.check_sampling(
        given.model, given.temperature, given.top_p, given.reasoning_effort, "reasoning_effort"
    )
    openai_strict.check_metadata(given.metadata)
    _check_tools(given)
    _check_form(given)


def _check_limits(given: ChatRequest) -> None:
    if given.max_tokens is not None and given.max_completion_tokens is not None:
        message = (
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        )
        raise invalid(message, "max_tokens", "invalid_parameter_combination")
    if given.max_tokens is not None and models.resolve(given.model).reasoning:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead."
        )
        raise invalid(message, "max_tokens", "unsupported_parameter")
    openai_strict.check_limit(given.model, given.max_tokens, "max_tokens")
    openai_strict.check_limit(given.model, given.max_completion_tokens, "max_completion_tokens")


def _check_tools(given: ChatRequest) -> None:
    if given.tools is None:
        for param in ("tool_choice", "parallel_tool_calls"):
            if getattr(given, param) is not None:
                message = f"'{param}' is only allowed when 'tools' are specified."
                raise invalid(message, param)
    for place, tool in enumerate(given.tools or ()):
        if isinstance(tool, FunctionTool):
            function = tool.function
            where = f"tools[{place}].function"
            openai_strict.check_function(function.name, function.strict, function.parameters, where)
        else:
            openai_strict.check_name(tool.custom.name, f"tools[{place}].custom.name")
    for place, function in enumerate(given.functions or ()):
        openai_strict.check_name(function.name, f"functions[{place}].name")


def _check_form(given: ChatRequest) -> None:
    match given.response_format:
        case JsonFormat() if not _says_json(given):
            message = (
                "'messages' must contain the word 'json' in some form, to use 'response_format' "
                "of type 'json_object'."
            )
            raise invalid(message, "messages")
        case SchemaFormat(json_schema=described):
            openai_strict.check_form(
                described.name,
                described.strict,
                described.schema,
                "response_format.json_schema",
            )


def _says_json(given: ChatRequest) -> bool:
    for message in given.messages:
        content = message.content
        texts = (
            [content]
            if isinstance(content, str)
            else [part.text for part in content or () if isinstance(part, TextPart)]
        )
        if any(map(openai_strict.JSON.search, texts)):
            return True
    return False
