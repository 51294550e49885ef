"""The form of an answer, and what its chat template is told, as vLLM's clients ask for it.

``structured_outputs`` is one constraint; the older fields ``guided_*`` say the same. Decoding is
constrained, so the model is not told: no constraint counts as a token of the prompt.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Struct

from llmsim.core import Format, Thinking
from llmsim.core.errors import invalid
from llmsim.providers.openai.errors import refuse
from llmsim.providers.wire.decoding import MalformedBody, decode

Choices = Annotated[list[str], Meta(min_length=1)]
Json = str | dict[str, Any]


class StructuredOutputs(Struct):
    json: Json | None = None
    regex: str | None = None
    choice: Choices | None = None
    grammar: str | None = None
    json_object: bool | None = None
    structural_tag: str | None = None


class OwnFields(Struct):
    """The fields that vLLM has beside OpenAI's, as far as they decide anything here."""

    structured_outputs: StructuredOutputs | None = None
    guided_json: Json | None = None
    guided_regex: str | None = None
    guided_choice: Choices | None = None
    guided_grammar: str | None = None
    structural_tag: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(OwnFields)


def read(body: bytes) -> OwnFields:
    """The fields of a body that is a request. Raises BadRequest."""
    try:
        return decode(_decoder, body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None


def answer_format(own: OwnFields) -> Format | None:
    """The form the answer must have; None where nothing is asked for. Raises BadRequest for
    several constraints, and for one that no text can be generated from."""
    wanted = {name: value for name, value in _constraints(own) if value not in (None, False)}
    if not wanted:
        return None
    if len(wanted) > 1:
        message = (
            "You can only use one kind of structured outputs constraint but multiple are "
            f"specified: {', '.join(wanted)}."
        )
        raise invalid(message, next(iter(wanted)))
    ((name, value),) = wanted.items()
    match name.rpartition(".")[2].removeprefix("guided_"):
        case "json":
            return Format(_schema(name, value), param=name, counted=False)
        case "regex":
            schema = {"type": "string", "pattern": f"^(?:{value})$"}
            return Format(schema, bare=True, param=name, counted=False)
        case "choice":
            return Format({"enum": value}, bare=True, param=name, counted=False)
        case "json_object":
            return Format(param=name, counted=False)
    message = f"'{name}' is not supported: llmsim generates text from json, regex and choice only."
    raise invalid(message, name)


def thinking(own: OwnFields, asked: Thinking | None) -> Thinking | None:
    """How the model is to think, by its chat template or, where that is told nothing, as ``asked``.

    Qwen's templates call it ``enable_thinking``, DeepSeek's and Granite's ``thinking``.
    """
    template = own.chat_template_kwargs or {}
    switch = template.get("enable_thinking", template.get("thinking"))
    if switch is False:
        return Thinking("none")
    if switch is True:
        effort = None if asked is None else asked.effort
        return Thinking(effort, None, True, True)
    return asked


def _constraints(own: OwnFields) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [
        (name, getattr(own, name))
        for name in (
            "guided_json",
            "guided_regex",
            "guided_choice",
            "guided_grammar",
            "structural_tag",
        )
    ]
    if own.structured_outputs is not None:
        found += [
            (f"structured_outputs.{name}", value)
            for name, value in msgspec.structs.asdict(own.structured_outputs).items()
        ]
    return found


def _schema(name: str, value: str | dict[str, Any]) -> dict[str, Any]:
    """A schema, which may come as JSON text. Raises BadRequest."""
    if isinstance(value, dict):
        return value
    try:
        schema = orjson.loads(value)
    except orjson.JSONDecodeError:
        schema = None
    if not isinstance(schema, dict):
        raise invalid(f"Invalid '{name}': not a JSON Schema.", name)
    return schema
