"""What OpenAI's APIs refuse, and llmsim accepts unless it is configured to validate strictly.

The error messages are the live service's as far as they are known.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from functools import cache
from typing import Any, Protocol, TypeVar

from llmsim.core.catalog import models
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers import rules
from llmsim.providers.rules import Breach
from llmsim.providers.wire.decoding import json_values
from llmsim.providers.wire.plain_bodies import PlainBodies
from llmsim.providers.wire.request_fields import (
    MapKey,
    Path,
    RequestFields,
    Variant,
    request_fields,
)

NAME = re.compile(r"[a-zA-Z0-9_-]+")
LONGEST_NAME = 64
MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512
JSON = re.compile("json", re.IGNORECASE)
MOST_TOOLS = 128
LEAST_BIAS, MOST_BIAS = -100, 100
SERVICE_TIERS = ("auto", "default", "flex", "scale", "priority")

API = "API reference"
SEEN = "seen from the live service"
REASONING_GUIDE = "guide to reasoning"

NO_STOP = rules.models("o3, o4-mini, GPT-5 and later", r"(o3|o4-mini|gpt-[5-9])(?!.*chat).*")
ONE_CALL_AT_A_TIME = rules.models("o-series", r"o[1-9](-.*)?")
EFFORTS: tuple[tuple[rules.SomeModels, tuple[str, ...]], ...] = (
    (rules.models("GPT-5 pro", r"gpt-5-pro(-.*)?"), ("high",)),
    (rules.models("o-series", r"o[1-9](-.*)?"), ("low", "medium", "high")),
    (
        rules.models("GPT-5", r"gpt-5(-(mini|nano|codex|20\d\d).*)?"),
        ("minimal", "low", "medium", "high"),
    ),
    (rules.models("GPT-5.1", r"gpt-5\.1(-.*)?"), ("none", "low", "medium", "high")),
)
"""The efforts that a family takes, where it does not take all."""

C = TypeVar("C", bound="CommonParams")

_CHILDREN = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_Context = tuple[str, ...]


@cache
def _plain(name: str) -> PlainBodies:
    fields = _fields(name)
    return PlainBodies(fields.root, fields.types)


@cache
def _fields(name: str) -> RequestFields:
    return request_fields(name)


def check_fields(body: bytes, name: str, model: str, also: Container[str] = ()) -> None:
    """The fields of a body that is sent to ``model``, beside those it may have ``also``. Raises
    BadRequest for one that the API does not have. Models of others, which only are served in the
    same form, have fields of their own."""
    if models.resolve(model).provider == "openai" and not _plain(name).takes(body):
        check_names(json_values(body), name, also)


def prepare(name: str) -> None:
    """Make what :func:`check_fields` needs of the bodies of that name: some 30 ms, which no
    request has to wait."""
    _plain(name)


def check_names(values: Any, name: str, also: Container[str] = ()) -> None:
    """The same for a body that is decoded, whichever model it is for. Raises BadRequest."""
    for misfit in _fields(name).misfits(values):
        if not misfit.path and misfit.name in also:
            continue
        where = path((*misfit.path, misfit.name))
        raise invalid(f"Unknown parameter: '{where}'.", where, "unknown_parameter")


def path(steps: Path) -> str:
    """A path as the API writes it: ``tools[0].function.name``."""
    text = ""
    for step in steps:
        match step:
            case Variant():
                continue
            case MapKey(key=key):
                text += f".{key}"
            case int():
                text += f"[{step}]"
            case _:
                text += f".{step}" if text else step
    return text


def check_length(value: list[Any] | None, where: str, most: int) -> None:
    """An array of at most ``most`` items. Raises BadRequest."""
    if value is not None and len(value) > most:
        message = (
            f"Invalid '{where}': array too long. Expected an array with maximum length {most}, "
            f"but got an array with length {len(value)} instead."
        )
        raise invalid(message, where, "array_above_max_length")


def check_text_length(value: str, where: str, most: int) -> None:
    """A text of at most ``most`` characters. Raises BadRequest."""
    if len(value) > most:
        message = (
            f"Invalid '{where}': string too long. Expected a string with maximum length {most}, "
            f"but got a string with length {len(value)} instead."
        )
        raise invalid(message, where, "string_above_max_length")


def check_choice(value: str | None, where: str, known: tuple[str, ...]) -> None:
    """A value that must be one of those known. Raises BadRequest."""
    if value is not None and value not in known:
        raise invalid(
            f"Invalid value: '{value}'. Supported values are: {listed(known)}.",
            where,
            "invalid_value",
        )


def listed(known: tuple[str, ...]) -> str:
    """Values as the API lists them."""
    quoted = [f"'{one}'" for one in known]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def check_effort(model: str, effort: str | None, param: str) -> None:
    """An effort that the reasoning model takes. Raises BadRequest."""
    name = models.bare_name(model)
    known = next((some for of, some in EFFORTS if of.pattern.fullmatch(name)), None)
    if effort is not None and known is not None and effort not in known:
        message = (
            f"Unsupported value: '{effort}' is not supported with the '{name}' model. Supported "
            f"values are: {listed(known)}."
        )
        raise invalid(message, param, "unsupported_value")


def check_name(name: str, where: str) -> None:
    """The name of a tool or of a schema. Raises BadRequest."""
    check_text_length(name, where, LONGEST_NAME)
    if not NAME.fullmatch(name):
        message = (
            f"Invalid '{where}': string does not match pattern. Expected a string that matches "
            "the pattern '^[a-zA-Z0-9_-]+$'."
        )
        raise invalid(message, where, "invalid_value")


def check_function(
    name: str, strict: bool | None, parameters: Mapping[str, Any] | None, where: str
) -> None:
    """A function tool; a strict one must describe all its arguments. Raises BadRequest."""
    check_name(name, f"{where}.name")
    if strict and (fault := _fault(parameters or {})) is not None:
        raise invalid(
            f"Invalid schema for function '{name}': {fault}",
            f"{where}.parameters",
            "invalid_function_parameters",
        )


def check_schema_format(
    name: str, strict: bool | None, schema: Mapping[str, Any] | None, where: str
) -> None:
    """The schema of a structured output. Raises BadRequest."""
    check_name(name, f"{where}.name")
    if strict and (fault := _fault(schema or {})) is not None:
        message = f"Invalid schema for response_format '{name}': {fault}"
        raise invalid(message, where, "invalid_json_schema")


def _fault(schema: Mapping[str, Any]) -> str | None:
    """The first rule of strict schemas that the schema breaks; None if it keeps them all."""
    if schema.get("type") != "object":
        kind = schema.get("type")
        got = f'type: "{kind}"' if kind is not None else "type: None"
        return f"schema must be a JSON Schema of 'type: \"object\"', got '{got}'."
    for context, part in _parts(schema, ()):
        properties = part.get("properties")
        if part.get("type") != "object" and properties is None:
            continue
        if part.get("additionalProperties") is not False:
            return (
                f"In context={context}, 'additionalProperties' is required to be supplied and to "
                "be false."
            )
        required = part.get("required")
        missing = [key for key in properties or () if key not in (required or ())]
        if missing:
            return (
                f"In context={context}, 'required' is required to be supplied and to be an array "
                f"including every key in properties. Missing '{missing[0]}'."
            )
    return None


def _parts(schema: object, context: _Context) -> Iterator[tuple[_Context, Mapping[str, Any]]]:
    """A schema and all those inside it, each with its path."""
    if not isinstance(schema, Mapping):
        return
    yield context, schema
    for key in _CHILDREN:
        children = schema.get(key)
        for name, child in children.items() if isinstance(children, Mapping) else ():
            yield from _parts(child, (*context, key, name))
    for key in _LISTS:
        listed = schema.get(key)
        for place, child in enumerate(listed if isinstance(listed, list) else ()):
            yield from _parts(child, (*context, key, str(place)))
    yield from _parts(schema.get("items"), (*context, "items"))


def check_metadata(metadata: Mapping[str, Any] | None) -> None:
    """Raises BadRequest for too many pairs, for long ones and for values that are no texts."""
    if metadata is None:
        return
    if len(metadata) > MOST_PAIRS:
        message = (
            f"Invalid 'metadata': too many properties. Expected an object with at most "
            f"{MOST_PAIRS} properties, but got an object with {len(metadata)} properties instead."
        )
        raise invalid(message, "metadata", "object_above_max_properties")
    for key, value in metadata.items():
        where = f"metadata.{key}"
        if not isinstance(value, str):
            message = f"Invalid type for '{where}': expected a string."
            raise invalid(message, where, "invalid_type")
        if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            most = LONGEST_KEY if len(key) > LONGEST_KEY else LONGEST_VALUE
            message = (
                f"Invalid '{where}': string too long. Expected a string with maximum length {most}."
            )
            raise invalid(message, where, "string_above_max_length")


def check_sampling(
    model: str, temperature: float | None, top_p: float | None, effort: str | None, param: str
) -> None:
    """Sampling parameters that a reasoning model does not take, and an effort that any other does
    not. Raises BadRequest.

    ``param`` names the parameter that holds the effort.
    """
    if not models.resolve(model).reasoning:
        if effort is not None:
            raise unsupported(param)
        return
    for name, value in (("temperature", temperature), ("top_p", top_p)):
        if value is not None and value != 1:
            message = (
                f"Unsupported value: '{name}' does not support {value:g} with this model. Only "
                "the default (1) value is supported."
            )
            raise invalid(message, name, "unsupported_value")


def check_limit(model: str, limit: int | None, param: str, least: int = 1) -> None:
    """The limit on completion tokens, which is at least ``least``. Raises BadRequest."""
    if limit is None:
        return
    if limit < least:
        message = (
            f"Invalid '{param}': integer below minimum value. Expected a value >= {least}, but "
            f"got {limit} instead."
        )
        raise invalid(message, param, "integer_below_min_value")
    most = models.resolve(model).max_output_tokens
    if most and limit > most:
        message = (
            f"{param} is too large: {limit}. This model supports at most {most} completion "
            f"tokens, whereas you provided {limit}."
        )
        raise invalid(message, param, "invalid_value")


def check_bias(biases: Mapping[str, float] | None) -> Iterator[Breach]:
    """The biases that are out of bounds."""
    for token, bias in (biases or {}).items():
        if not LEAST_BIAS <= bias <= MOST_BIAS:
            yield Breach(f"logit_bias.{token}", {"value": bias})


def check_streaming(options: object, stream: bool | None) -> None:
    """``stream_options`` need a stream. Raises BadRequest."""
    if options is not None and not stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise invalid(message, "stream_options")


def unsupported(param: str) -> BadRequest:
    """The exception for a parameter that the model does not take."""
    message = f"Unsupported parameter: '{param}' is not supported with this model."
    return invalid(message, param, "unsupported_parameter")


def known_kind(model: str) -> str | None:
    """What a model is for; None for one that the catalogue does not have."""
    return models.resolve(model).kind if models.find(model) is not None else None


class CommonParams(Protocol):
    """The parameters that chat completions and responses have under the same names."""

    @property
    def stream(self) -> bool | None: ...

    @property
    def stream_options(self) -> object: ...

    @property
    def metadata(self) -> Mapping[str, Any] | None: ...

    @property
    def service_tier(self) -> str | None: ...

    @property
    def tools(self) -> list[Any] | None: ...


def add_common(table: rules.Rules[C]) -> None:
    """The rules of what is the same in both APIs."""

    @table.checked(
        "stream-options",
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        API,
        on=("stream_options",),
    )
    def _stream_options(params: C) -> None:
        check_streaming(params.stream_options, params.stream)

    @table.checked(
        "metadata",
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with {count} properties instead.",
        API,
        on=("metadata",),
    )
    def _metadata(params: C) -> None:
        check_metadata(params.metadata)

    @table.checked(
        "service-tier",
        "Invalid value: '{value}'. Supported values are: {known}.",
        API,
        on=("service_tier",),
    )
    def _service_tier(params: C) -> None:
        check_choice(params.service_tier, "service_tier", SERVICE_TIERS)

    @table.checked(
        "tools-count",
        "Invalid '{where}': array too long. Expected an array with maximum length 128, but got an "
        "array with length {length} instead.",
        API,
        on=("tools",),
    )
    def _tools_count(params: C) -> None:
        check_length(params.tools, "tools", MOST_TOOLS)
