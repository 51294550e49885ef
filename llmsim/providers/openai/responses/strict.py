"""Responses: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from collections.abc import Iterator

from llmsim.core.errors import invalid
from llmsim.providers.openai.responses import inputs
from llmsim.providers.openai.responses.encrypted_content import START
from llmsim.providers.openai.responses.inputs import Item, Part
from llmsim.providers.openai.responses.params import ResponsesRequest
from llmsim.providers.openai.responses.tools import JsonFormat, SchemaFormat
from llmsim.providers.openai.strict import (
    API,
    JSON,
    REASONING_GUIDE,
    SEEN,
    add_common,
    check_effort,
    check_fields,
    check_function,
    check_limit,
    check_name,
    check_sampling,
    check_schema_format,
    check_text_length,
)
from llmsim.providers.rules import Breach, Rules

LEAST_TOKENS = 16
"""The lowest ``max_output_tokens`` there may be."""
LONGEST_CALL_ID = 64

PREFIXES = {
    "code_interpreter_call": "ci",
    "custom_tool_call": "ctc",
    "file_search_call": "fs",
    "function_call": "fc",
    "reasoning": "rs",
    "web_search_call": "ws",
}
"""What the ids of items begin with."""

TOOL_NEEDS = {
    "code_interpreter": "container",
    "file_search": "vector_store_ids",
    "mcp": "server_label",
}
"""The parameter that a tool of the provider's cannot be without."""

SOCKET_ONLY = ("generate", "stream_id", "type")

RULES: Rules[ResponsesRequest] = Rules()
add_common(RULES)


def check(body: bytes, params: ResponsesRequest, live: bool = False) -> None:
    """Raises BadRequest for the first rule that a request breaks; ``live`` for one that came over
    a WebSocket, whose messages have members of their own."""
    model = _check_present(params)
    check_fields(body, "openai_responses", model, SOCKET_ONLY if live else ())
    RULES.check(params, model)


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


@RULES.checked(
    "max-output-tokens",
    "Invalid '{where}': integer below minimum value. Expected a value >= 16, but got {value} "
    "instead.",
    API,
    on=("max_output_tokens",),
)
def _max_output_tokens(params: ResponsesRequest) -> None:
    limit = params.max_output_tokens
    check_limit(params.model or "", limit, "max_output_tokens", LEAST_TOKENS)


@RULES.checked(
    "sampling-of-reasoning",
    "Unsupported value: '{where}' does not support {value} with this model. Only the default (1) "
    "value is supported.",
    REASONING_GUIDE,
    on=(
        "temperature",
        "top_p",
        "reasoning",
    ),
)
def _sampling_of_reasoning(params: ResponsesRequest) -> None:
    effort = params.reasoning.effort if params.reasoning is not None else None
    model = params.model or ""
    check_sampling(model, params.temperature, params.top_p, effort, "reasoning.effort")
    check_effort(model, effort, "reasoning.effort")


@RULES.checked(
    "tools",
    "Invalid '{where}': string does not match pattern. Expected a string that matches the pattern "
    "'^[a-zA-Z0-9_-]+$'.",
    API,
    on=("tools",),
)
def _tools(params: ResponsesRequest) -> None:
    for place, tool in enumerate(params.tools or ()):
        where = f"tools[{place}]"
        if tool["type"] == "function":
            check_function(tool["name"], tool.get("strict"), tool.get("parameters"), where)
        elif tool["type"] == "custom":
            check_name(tool["name"], f"{where}.name")


@RULES.row(
    "tool-needs",
    "Missing required parameter: '{where}'.",
    API,
    code="missing_required_parameter",
    on=("tools",),
)
def _tool_needs(params: ResponsesRequest) -> Iterator[Breach]:
    for place, tool in enumerate(params.tools or ()):
        needed = TOOL_NEEDS.get(tool["type"])
        if needed is not None and not tool.get(needed):
            yield Breach(f"tools[{place}].{needed}")


@RULES.row(
    "assistant-content",
    "Invalid value: '{kind}'. Supported values are: 'output_text' and 'refusal'.",
    SEEN,
    code="invalid_value",
)
def _assistant_content(params: ResponsesRequest) -> Iterator[Breach]:
    for where, item, part in _parts(params):
        if item.role == "assistant" and part.type.startswith("input_"):
            yield Breach(where, {"kind": part.type})


@RULES.row(
    "input-content",
    "Invalid value: '{kind}'. Supported values are: 'input_text', 'input_image', and 'input_file'.",
    SEEN,
    code="invalid_value",
)
def _input_content(params: ResponsesRequest) -> Iterator[Breach]:
    for where, item, part in _parts(params):
        if item.role in ("system", "developer", "user") and part.type in ("text", "image_url"):
            yield Breach(where, {"kind": part.type})


@RULES.row(
    "item-id",
    "Invalid '{where}': '{id}'. Expected an ID that begins with '{prefix}'.",
    SEEN,
    code="invalid_value",
)
def _item_id(params: ResponsesRequest) -> Iterator[Breach]:
    for place, item in enumerate(params.items):
        prefix = PREFIXES.get(item.kind)
        if prefix is not None and item.id and not item.id.startswith(f"{prefix}_"):
            yield Breach(f"input[{place}].id", {"id": item.id, "prefix": prefix})


@RULES.checked(
    "call-id-length",
    "Invalid '{where}': string too long. Expected a string with maximum length 64, but got a "
    "string with length {length} instead.",
    SEEN,
)
def _call_id_length(params: ResponsesRequest) -> None:
    for place, item in enumerate(params.items):
        check_text_length(item.call_id or "", f"input[{place}].call_id", LONGEST_CALL_ID)


@RULES.row(
    "item-id-unique",
    "Duplicate item found with id {id}. Remove duplicate items from your input and try again.",
    SEEN,
)
def _item_id_unique(params: ResponsesRequest) -> Iterator[Breach]:
    seen: set[str] = set()
    for item in params.items:
        if item.id:
            if item.id in seen:
                yield Breach("input", {"id": item.id})
            seen.add(item.id)


@RULES.row(
    "encrypted-content",
    "The encrypted content {content} could not be verified. Reason: Encrypted content could not be "
    "decrypted or parsed.",
    SEEN,
    code="invalid_encrypted_content",
)
def _encrypted_content(params: ResponsesRequest) -> Iterator[Breach]:
    for place, item in enumerate(params.items):
        secret = item.encrypted_content
        if item.kind == "reasoning" and secret and not secret.startswith(START):
            yield Breach(f"input[{place}].encrypted_content", {"content": f"{secret[:16]}..."})


@RULES.row(
    "reasoning-alone",
    "Item '{id}' of type 'reasoning' was provided without its required following item.",
    SEEN,
)
def _reasoning_alone(params: ResponsesRequest) -> Iterator[Breach]:
    items = params.items
    for place, item in enumerate(items):
        after = items[place + 1] if place + 1 < len(items) else None
        alone = after is None or after.role in ("user", "system", "developer")
        if item.kind == "reasoning" and alone:
            yield Breach("input", {"id": item.id or ""})


@RULES.checked(
    "built-in-calls",
    "No tool output found for {kind} {id}.",
    SEEN,
)
def _built_in_calls(params: ResponsesRequest) -> None:
    if params.continues:
        return
    mistake = inputs.mismatch(params.items, inputs.ANY_CALLS, inputs.ANY_OUTPUTS)
    if mistake is not None:
        raise mistake


@RULES.row(
    "json-word",
    "Response input messages must contain the word 'json' in some form to use 'text.format' of "
    "type 'json_object'.",
    API,
    on=("text",),
)
def _json_word(params: ResponsesRequest) -> Iterator[Breach]:
    form = params.text.format if params.text is not None else None
    if isinstance(form, JsonFormat) and not any(map(JSON.search, _texts(params))):
        yield Breach("input")


@RULES.checked("schema", "Invalid schema for response_format '{name}': {fault}", API, on=("text",))
def _schema(params: ResponsesRequest) -> None:
    form = params.text.format if params.text is not None else None
    if isinstance(form, SchemaFormat):
        check_schema_format(form.name, form.strict, form.schema, "text.format")


def _parts(params: ResponsesRequest) -> Iterator[tuple[str, Item, Part]]:
    for place, item in enumerate(params.items):
        if isinstance(item.content, list):
            for index, part in enumerate(item.content):
                yield f"input[{place}].content[{index}]", item, part


def _texts(params: ResponsesRequest) -> Iterator[str]:
    yield params.instructions or ""
    if isinstance(params.input, str):
        yield params.input
    for item in params.items:
        if isinstance(item.content, str):
            yield item.content
        else:
            yield from (part.text for part in item.content or () if part.text is not None)
