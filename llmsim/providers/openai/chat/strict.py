"""Chat completions: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from collections.abc import Container, Iterator

from llmsim.core.catalog import models
from llmsim.providers import rules
from llmsim.providers.openai.chat.messages import (
    AudioPart,
    Part,
    TextPart,
    WireMessage,
    WireToolCall,
)
from llmsim.providers.openai.chat.params import ChatRequest
from llmsim.providers.openai.chat.tools import FunctionTool, JsonFormat, SchemaFormat
from llmsim.providers.openai.strict import (
    API,
    JSON,
    MOST_TOOLS,
    NO_STOP,
    ONE_CALL_AT_A_TIME,
    REASONING_GUIDE,
    SEEN,
    add_common,
    check_bias,
    check_effort,
    check_fields,
    check_function,
    check_length,
    check_limit,
    check_name,
    check_sampling,
    check_schema_format,
    check_text_length,
    unsupported,
)
from llmsim.providers.rules import Breach, Rules

LONGEST_CALL_ID = 40
SOUND = r"(gpt-audio|gpt-4o-(mini-)?audio)"
DEEPSEEK = rules.models("DeepSeek", r"deepseek.*")

REASONING = rules.models(
    "OpenAI's that reason", when=lambda model: model.reasoning and model.provider == "openai"
)

RULES: Rules[ChatRequest] = Rules()
add_common(RULES)


def check(body: bytes, params: ChatRequest, also: Container[str] = ()) -> None:
    """Raises BadRequest for the first rule that a request breaks, which may have fields that the
    API ``also`` has."""
    check_fields(body, "openai_chat", params.model, also)
    RULES.check(params, params.model)


@RULES.row(
    "chat-model",
    "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you "
    "mean to use v1/completions?",
    SEEN,
    models=rules.models("those not for chat", when=lambda model: model.kind != "chat"),
)
def _chat_model(params: ChatRequest) -> Iterator[Breach]:
    yield Breach("model")


@RULES.row(
    "audio-of-model",
    "Unsupported value: 'modalities' does not support 'audio' with this model. Supported values "
    "are: 'text'.",
    API,
    code="unsupported_value",
    models=rules.models("OpenAI's without sound", rf"(?!{SOUND})(gpt-|o\d|chatgpt-).*"),
)
def _audio_of_model(params: ChatRequest) -> Iterator[Breach]:
    if params.audio_wanted:
        yield Breach("modalities")


@RULES.row(
    "audio-wanted",
    "This model requires that either input content or output modality contain audio.",
    SEEN,
    code="invalid_value",
    models=rules.models("OpenAI's with sound", rf"{SOUND}.*"),
)
def _audio_wanted(params: ChatRequest) -> Iterator[Breach]:
    if not params.audio_wanted and not any(
        isinstance(part, AudioPart) for part in _parts(params.messages)
    ):
        yield Breach("model")


@RULES.row(
    "max-tokens-twice",
    "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
    SEEN,
    code="invalid_parameter_combination",
    on=("max_tokens",),
)
def _max_tokens_twice(params: ChatRequest) -> Iterator[Breach]:
    if params.max_tokens is not None and params.max_completion_tokens is not None:
        yield Breach("max_tokens")


@RULES.row(
    "max-tokens-of-reasoning",
    "Unsupported parameter: '{where}' is not supported with this model. Use "
    "'max_completion_tokens' instead.",
    REASONING_GUIDE,
    code="unsupported_parameter",
    models=REASONING,
    on=("max_tokens",),
)
def _max_tokens_of_reasoning(params: ChatRequest) -> Iterator[Breach]:
    yield Breach("max_tokens")


@RULES.checked(
    "max-tokens-bounds",
    "{where} is too large: {wanted}. This model supports at most {most} completion tokens, "
    "whereas you provided {wanted}.",
    API,
    on=(
        "max_tokens",
        "max_completion_tokens",
    ),
)
def _max_tokens_bounds(params: ChatRequest) -> None:
    check_limit(params.model, params.max_tokens, "max_tokens")
    check_limit(params.model, params.max_completion_tokens, "max_completion_tokens")


@RULES.checked(
    "sampling-of-reasoning",
    "Unsupported value: '{where}' does not support {value} with this model. Only the default (1) "
    "value is supported.",
    REASONING_GUIDE,
    on=(
        "temperature",
        "top_p",
        "reasoning_effort",
    ),
)
def _sampling_of_reasoning(params: ChatRequest) -> None:
    if models.resolve(params.model).provider == "openai":
        effort = params.reasoning_effort
        check_sampling(params.model, params.temperature, params.top_p, effort, "reasoning_effort")


@RULES.checked(
    "parameters-of-reasoning",
    "Unsupported parameter: '{where}' is not supported with this model.",
    REASONING_GUIDE,
    models=REASONING,
    on=(
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "logit_bias",
    ),
)
def _parameters_of_reasoning(params: ChatRequest) -> None:
    for name, value in (
        ("presence_penalty", params.presence_penalty),
        ("frequency_penalty", params.frequency_penalty),
        ("logprobs", params.logprobs),
        ("logit_bias", params.logit_bias),
    ):
        if value:
            raise unsupported(name)


@RULES.checked(
    "effort-of-model",
    "Unsupported value: '{value}' is not supported with the '{model}' model. Supported values are: "
    "{known}.",
    REASONING_GUIDE,
    on=("reasoning_effort",),
)
def _effort_of_model(params: ChatRequest) -> None:
    check_effort(params.model, params.reasoning_effort, "reasoning_effort")


@RULES.row(
    "stop-of-reasoning",
    "Unsupported parameter: '{where}' is not supported with this model.",
    API,
    code="unsupported_parameter",
    models=NO_STOP,
    on=("stop",),
)
def _stop_of_reasoning(params: ChatRequest) -> Iterator[Breach]:
    if params.stop is not None:
        yield Breach("stop")


@RULES.row(
    "parallel-calls",
    "Unsupported parameter: '{where}' is not supported with this model.",
    SEEN,
    code="unsupported_parameter",
    models=ONE_CALL_AT_A_TIME,
    on=("parallel_tool_calls",),
)
def _parallel_calls(params: ChatRequest) -> Iterator[Breach]:
    if params.parallel_tool_calls is not None:
        yield Breach("parallel_tool_calls")


@RULES.row(
    "logit-bias",
    "Invalid '{where}': decimal out of bounds. Expected a value from -100 to 100, but got "
    "{value:g} instead.",
    API,
    code="decimal_out_of_bounds",
    on=("logit_bias",),
)
def _logit_bias(params: ChatRequest) -> Iterator[Breach]:
    yield from check_bias(params.logit_bias)


@RULES.row(
    "tools-wanted",
    "'{where}' is only allowed when 'tools' are specified.",
    SEEN,
    on=(
        "tool_choice",
        "parallel_tool_calls",
    ),
)
def _tools_wanted(params: ChatRequest) -> Iterator[Breach]:
    if params.tools is None:
        for param in ("tool_choice", "parallel_tool_calls"):
            if getattr(params, param) is not None:
                yield Breach(param)


@RULES.checked(
    "functions-count",
    "Invalid '{where}': array too long. Expected an array with maximum length 128, but got an "
    "array with length {length} instead.",
    API,
    on=("functions",),
)
def _functions_count(params: ChatRequest) -> None:
    check_length(params.functions, "functions", MOST_TOOLS)


@RULES.checked(
    "tools",
    "Invalid '{where}': string does not match pattern. Expected a string that matches the pattern "
    "'^[a-zA-Z0-9_-]+$'.",
    API,
    on=(
        "tools",
        "functions",
    ),
)
def _tools(params: ChatRequest) -> None:
    for place, tool in enumerate(params.tools or ()):
        if isinstance(tool, FunctionTool):
            function = tool.function
            where = f"tools[{place}].function"
            check_function(function.name, function.strict, function.parameters, where)
        else:
            check_name(tool.custom.name, f"tools[{place}].custom.name")
    for place, function in enumerate(params.functions or ()):
        check_name(function.name, f"functions[{place}].name")


@RULES.row(
    "calls-empty",
    "Invalid '{where}': empty array. Expected an array with minimum length 1, but got an empty "
    "array instead.",
    SEEN,
    code="empty_array",
)
def _calls_empty(params: ChatRequest) -> Iterator[Breach]:
    for place, message in enumerate(params.messages):
        if message.tool_calls is not None and not message.tool_calls:
            yield Breach(f"messages[{place}].tool_calls")
        if isinstance(message.content, list) and not message.content:
            yield Breach(f"messages[{place}].content")


@RULES.checked(
    "call-id-length",
    "Invalid '{where}': string too long. Expected a string with maximum length 40, but got a "
    "string with length {length} instead.",
    SEEN,
    models=rules.models("OpenAI's", when=lambda model: model.provider == "openai"),
)
def _call_id_length(params: ChatRequest) -> None:
    for where, call in _calls(params):
        check_text_length(call.id, f"{where}.id", LONGEST_CALL_ID)


@RULES.row("call-id-unique", "Duplicate value for '{where}': '{id}'.", SEEN, code="invalid_value")
def _call_id_unique(params: ChatRequest) -> Iterator[Breach]:
    for place, message in enumerate(params.messages):
        seen: set[str] = set()
        for index, call in enumerate(message.tool_calls or ()):
            if call.id in seen:
                yield Breach(f"messages[{place}].tool_calls[{index}].id", {"id": call.id})
            seen.add(call.id)


def _calls(params: ChatRequest) -> Iterator[tuple[str, WireToolCall]]:
    for place, message in enumerate(params.messages):
        for index, call in enumerate(message.tool_calls or ()):
            yield f"messages[{place}].tool_calls[{index}]", call


@RULES.row(
    "reasoning-back",
    "The `reasoning_content` in the thinking mode must be passed back to the API.",
    'DeepSeek\'s guide to thinking mode, "Tool calls"',
    models=DEEPSEEK,
    on=("thinking",),
)
def _reasoning_back(params: ChatRequest) -> Iterator[Breach]:
    thinking = params.thinking
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        return
    for place in _since_user(params.messages):
        message = params.messages[place]
        if message.tool_calls and not message.reasoning_content:
            yield Breach(f"messages[{place}].reasoning_content")


def _since_user(messages: list[WireMessage]) -> range:
    """The places of the messages after the last of a user."""
    last = max((at for at, one in enumerate(messages) if one.role == "user"), default=-1)
    return range(last + 1, len(messages))


@RULES.row(
    "json-word",
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
    "'json_object'.",
    API,
    on=("response_format",),
)
def _json_word(params: ChatRequest) -> Iterator[Breach]:
    if isinstance(params.response_format, JsonFormat) and not _mentions_json(params):
        yield Breach("messages")


@RULES.checked(
    "schema", "Invalid schema for response_format '{name}': {fault}", API, on=("response_format",)
)
def _schema(params: ChatRequest) -> None:
    if isinstance(params.response_format, SchemaFormat):
        form = params.response_format.json_schema
        where = "response_format.json_schema"
        check_schema_format(form.name, form.strict, form.schema, where)


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


def _parts(messages: list[WireMessage]) -> Iterator[Part]:
    for message in messages:
        if isinstance(message.content, list):
            yield from message.content
