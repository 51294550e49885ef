"""What the Gemini API refuses, and llmsim accepts unless it is configured to validate strictly.

Rules are about the body as JSON, its names in camelCase. The error messages are the live service's
as far as they are known.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Container, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers import rules
from llmsim.providers.gemini import errors, json_names
from llmsim.providers.gemini.generate.contents import CALLED_BY_USER
from llmsim.providers.rules import Breach, Rules
from llmsim.providers.wire.decoding import MalformedBody, json_values
from llmsim.providers.wire.request_fields import (
    MapKey,
    Misfit,
    Path,
    RequestFields,
    request_fields,
)

Body: TypeAlias = Mapping[str, Any]

API = "API reference"
SEEN = "seen from the live service"
SIGNATURES = "guide to thought signatures"

GEMINI_3 = rules.models("Gemini 3 and later", r"gemini-([3-9]|pro-latest).*")
FLASH_2_5 = rules.models("Gemini 2.5 Flash", r"gemini-2\.5-flash(?!-lite|-image).*")
FLASH_LITE_2_5 = rules.models("Gemini 2.5 Flash-Lite", r"gemini-2\.5-flash-lite.*")
PRO_2_5 = rules.models("Gemini 2.5 Pro", r"gemini-2\.5-pro.*")
GEMINI_2_5 = rules.models("Gemini 2.5", r"gemini-2\.5.*")

SPEAKING = rules.models("Gemini's that speak", r"gemini-.*-tts.*")
PAINTING = rules.models("Gemini's that paint", r"gemini-.*(-image|-banana).*")
WRITING = rules.models("all others of Gemini", r"gemini-(?!.*(-tts|-image|-banana|-live|-audio)).*")

AUTOMATIC = -1
"""A thinking budget that is left to the model."""

HARMS = tuple(
    f"HARM_CATEGORY_{name}"
    for name in (
        "CIVIC_INTEGRITY",
        "DANGEROUS_CONTENT",
        "HARASSMENT",
        "HATE_SPEECH",
        "SEXUALLY_EXPLICIT",
    )
)
THRESHOLDS = (
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_NONE",
    "BLOCK_ONLY_HIGH",
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
    "OFF",
)

OWN_TOOLS = {"codeExecution", "googleSearch", "googleSearchRetrieval", "urlContext"}
"""The service's own tools, which older models use alone."""

UNSIGNED = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
"""Signatures that the guide gives for calls which the model did not make."""

RULES: Rules[Body] = Rules()


def check(body: bytes, model: str, pathless: bool = False, also: Container[str] = ()) -> None:
    """Raises BadRequest for the first rule that a well-formed request to generate breaks, or for
    all the fields that the API does not have, beside those it may have ``also``. One that came
    without a path may say ``stream``."""
    values = _values(body)
    if pathless:
        values.pop("stream", None)
    check_fields(values, "gemini", also)
    RULES.check({**json_names.camel(values), "model": model}, model)


def check_count(body: bytes, model: str) -> None:
    """The same for a request to count tokens, which has a whole one in it or contents alone."""
    values = _values(body)
    check_fields(values, "gemini_count_tokens")
    renamed = json_names.camel(values)
    counted = renamed.get("generateContentRequest", renamed)
    RULES.check({**counted, "model": None}, model)


def check_fields(values: Any, name: str, also: Container[str] = ()) -> None:
    """The fields of a body. Raises BadRequest with all that are not the API's, nor ``also``."""
    misfits = [one for one in _fields(name).misfits(values) if errors.snake(one.name) not in also]
    problems = [_problem(misfit) for misfit in misfits]
    if problems:
        where = problems[0][0]
        raise invalid("\n".join(said for _, said in problems), where)


def _values(body: bytes) -> Any:
    try:
        return json_values(body)
    except MalformedBody as mistake:
        raise errors.refuse(mistake) from None


@cache
def _fields(name: str) -> RequestFields:
    return request_fields(name, lambda field: (errors.snake(field),))


def _problem(misfit: Misfit) -> tuple[str, str]:
    """Where a field is, and what is wrong with it in Google's words."""
    where = path(misfit.path)
    at = f" at '{where}'" if where else ""
    problem = (
        "Proto field is not repeating, cannot start list" if misfit.listed else "Cannot find field"
    )
    said = f'Invalid JSON payload received. Unknown name "{misfit.name}"{at}: {problem}.'
    return where, said


def path(steps: Path) -> str:
    """A path as the API writes it: ``tools[0].function_declarations[0].parameters``, the values of
    maps by their places."""
    text = ""
    for step in steps:
        match step:
            case MapKey(place=place):
                text += f"[{place}].value"
            case int():
                text += f"[{step}]"
            case _:
                text += f".{errors.snake(str(step))}" if text else errors.snake(str(step))
    return text


MODALITIES = (
    "The requested combination of response modalities ({asked}) is not supported by the model."
)


def _modalities(body: Body) -> list[str]:
    config = body.get("generationConfig") or {}
    return [str(one).upper() for one in config.get("responseModalities") or ()]


def _unless(wanted: list[str], *known: set[str]) -> Iterator[Breach]:
    if set(wanted) not in known:
        asked = ", ".join(wanted or ["TEXT"])
        yield Breach("generation_config.response_modalities", {"asked": asked})


@RULES.row("modalities-of-speech", MODALITIES, SEEN, models=SPEAKING)
def _modalities_of_speech(body: Body) -> Iterator[Breach]:
    yield from _unless(_modalities(body), {"AUDIO"})


@RULES.row("modalities-of-images", MODALITIES, SEEN, models=PAINTING)
def _modalities_of_images(body: Body) -> Iterator[Breach]:
    yield from _unless(_modalities(body), set(), {"TEXT", "IMAGE"}, {"IMAGE"}, {"TEXT"})


@RULES.row("modalities", MODALITIES, SEEN, models=WRITING)
def _modalities_of_others(body: Body) -> Iterator[Breach]:
    yield from _unless(_modalities(body), set(), {"TEXT"})


@RULES.row("voice", "Cannot extract voices from a non-audio request.", SEEN)
def _voice(body: Body) -> Iterator[Breach]:
    config = body.get("generationConfig") or {}
    if config.get("speechConfig") and "AUDIO" not in _modalities(body):
        yield Breach("generation_config.speech_config")


@RULES.row("call-turn", CALLED_BY_USER, SEEN)
def _call_turn(body: Body) -> Iterator[Breach]:
    before = ""
    for place, content in _contents(body):
        role = content.get("role") or "user"
        if before != "user" and role == "model" and before != "model" and _calls(content):
            yield Breach(f"contents[{place}]")
        before = "user" if role in ("user", "function") else "model"


@RULES.row(
    "response-reference",
    "* GenerateContentRequest.{where}: The referenced name `{name}` does not match a display_name "
    "in the function_response.parts.",
    SEEN,
)
def _response_reference(body: Body) -> Iterator[Breach]:
    for where, part in _parts(body):
        response = part.get("functionResponse")
        if isinstance(response, dict):
            names = {
                inner.get("inlineData", {}).get("displayName")
                for inner in response.get("parts") or ()
                if isinstance(inner, dict)
            }
            for name in _references(response.get("response")):
                if name not in names:
                    at = f"{where}.function_response.response"
                    yield Breach(at, {"name": name})


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref" and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


@RULES.row(
    "signature-missing",
    "Function call is missing a thought_signature in functionCall parts. This is required for "
    "tools to work correctly, and missing thought_signature may lead to degraded model "
    "performance. Additional data, function call `default_api:{name}`, position {position}. "
    "Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
    SIGNATURES,
    models=GEMINI_3,
)
def _signature_missing(body: Body) -> Iterator[Breach]:
    contents = list(_contents(body))
    for place, content in contents[_turn(contents) :]:
        calls = [part for part in _of(content) if "functionCall" in part]
        if content.get("role") == "model" and calls and not calls[0].get("thoughtSignature"):
            name = calls[0]["functionCall"].get("name", "")
            values = {"name": name, "position": place + 1}
            yield Breach(f"contents[{place}].parts", values)


def _turn(contents: list[tuple[int, Body]]) -> int:
    """Where the turn begins whose calls are checked: at the last content in which the user speaks
    and does not only give results."""
    for place, content in reversed(contents):
        says = any("functionResponse" not in part for part in _of(content))
        if content.get("role") != "model" and says:
            return place
    return 0


@RULES.row(
    "signature-encoding",
    "Invalid value at '{where}' (TYPE_BYTES), Base64 decoding failed for \"{value}\"",
    SEEN,
)
def _signature_encoding(body: Body) -> Iterator[Breach]:
    for where, part in _parts(body):
        signature = part.get("thoughtSignature")
        if isinstance(signature, str) and signature not in UNSIGNED and not _is_base64(signature):
            yield Breach(f"{where}.thought_signature", {"value": signature})


def _is_base64(text: str) -> bool:
    """Whether it is base64 of either alphabet, padded or not, as protocol buffers read bytes."""
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        return False
    return True


@RULES.row(
    "thinking-level",
    "Thinking level is not supported for this model.",
    "guide to thinking",
    models=GEMINI_2_5,
)
def _thinking_level(body: Body) -> Iterator[Breach]:
    if _thinking(body).get("thinkingLevel") is not None:
        yield Breach("generation_config.thinking_config.thinking_level")


@RULES.row(
    "thinking-always",
    "Budget 0 is invalid. This model only works in thinking mode.",
    "guide to thinking",
    models=PRO_2_5,
)
def _thinking_always(body: Body) -> Iterator[Breach]:
    if _thinking(body).get("thinkingBudget") == 0:
        yield Breach("generation_config.thinking_config.thinking_budget")


def _budget(of: rules.SomeModels, least: int, most: int, off: bool) -> None:
    """A row for the budgets that a family takes."""

    @RULES.row(
        f"thinking-budget-{least}",
        "The thinking budget {budget} is invalid. Please choose a value between "
        f"{least} and {most}.",
        "guide to thinking",
        models=of,
    )
    def _finds(body: Body) -> Iterator[Breach]:
        budget = _thinking(body).get("thinkingBudget")
        if budget is None or budget == AUTOMATIC or (off and budget == 0):
            return
        if not least <= budget <= most:
            where = "generation_config.thinking_config.thinking_budget"
            yield Breach(where, {"budget": budget})


_budget(PRO_2_5, 128, 32_768, off=False)
_budget(FLASH_2_5, 0, 24_576, off=True)
_budget(FLASH_LITE_2_5, 512, 24_576, off=True)


@RULES.row(
    "calls-and-json",
    "Function calling with a response mime type: '{kind}' is unsupported",
    SEEN,
    models=rules.models("before Gemini 3", r"gemini-[12].*"),
)
def _calls_and_json(body: Body) -> Iterator[Breach]:
    kind = _config(body).get("responseMimeType")
    if kind not in (None, "text/plain") and any(_declared(body)):
        yield Breach(None, {"kind": kind})


@RULES.row(
    "functions-and-tools",
    "Tool use with function calling is unsupported",
    SEEN,
    models=rules.models("before Gemini 3", r"gemini-[12].*"),
)
def _functions_and_tools(body: Body) -> Iterator[Breach]:
    own = {name for tool in body.get("tools") or () for name in tool}
    if any(_declared(body)) and own & OWN_TOOLS:
        yield Breach(None)


@RULES.checked(
    "generating-model",
    "{model} is not found for API version {version}, or is not supported for {method}.",
    SEEN,
    models=rules.models("embedding models", r".*embedding.*"),
)
def _generating_model(body: Body) -> None:
    if body["model"] is not None:
        raise BadRequest(Failure(FailureKind.MODEL_NOT_FOUND, "", model=body["model"]))


_ENUM = "Invalid value at '{where}' (type.googleapis.com/google.ai.generativelanguage.v1beta."


@RULES.row("harm-category", f'{_ENUM}HarmCategory), "{{value}}"', API)
def _harm_category(body: Body) -> Iterator[Breach]:
    for where, setting in _safety(body):
        if setting.get("category") not in HARMS:
            yield Breach(f"{where}.category", {"value": setting.get("category")})


@RULES.row("harm-threshold", f'{_ENUM}SafetySetting.HarmBlockThreshold), "{{value}}"', API)
def _harm_threshold(body: Body) -> Iterator[Breach]:
    for where, setting in _safety(body):
        if setting.get("threshold") not in (None, *THRESHOLDS):
            yield Breach(f"{where}.threshold", {"value": setting.get("threshold")})


def _safety(body: Body) -> Iterator[tuple[str, Body]]:
    for place, setting in enumerate(body.get("safetySettings") or ()):
        yield f"safety_settings[{place}]", setting


@RULES.row("function-names", "Duplicate function declaration found: {name}", SEEN)
def _function_names(body: Body) -> Iterator[Breach]:
    seen: set[str] = set()
    for _, declared in _declared(body):
        name = declared.get("name", "")
        if name in seen:
            yield Breach("tools", {"name": name})
        seen.add(name)


@RULES.row("schema-items", "* GenerateContentRequest.{where}: missing field.", SEEN)
def _schema_items(body: Body) -> Iterator[Breach]:
    for where, schema in _schemas(body):
        if str(schema.get("type")).upper() == "ARRAY" and not schema.get("items"):
            yield Breach(f"{where}.items")


@RULES.row("schema-required", "* GenerateContentRequest.{where}: property is not defined", SEEN)
def _schema_required(body: Body) -> Iterator[Breach]:
    for where, schema in _schemas(body):
        properties = schema.get("properties") or {}
        for place, name in enumerate(schema.get("required") or ()):
            if name not in properties:
                yield Breach(f"{where}.required[{place}]")


def _schemas(body: Body) -> Iterator[tuple[str, Body]]:
    """Every schema of the API's own kind, with its path."""
    for where, declared in _declared(body):
        yield from _inside(declared.get("parameters"), f"{where}.parameters")
    form = _config(body).get("responseSchema")
    yield from _inside(form, "generation_config.response_schema")


def _inside(schema: Any, where: str) -> Iterator[tuple[str, Body]]:
    if not isinstance(schema, dict):
        return
    yield where, schema
    for name, one in (schema.get("properties") or {}).items():
        yield from _inside(one, f"{where}.properties[{name}]")
    for place, one in enumerate(schema.get("anyOf") or ()):
        yield from _inside(one, f"{where}.any_of[{place}]")
    yield from _inside(schema.get("items"), f"{where}.items")


def _config(body: Body) -> Body:
    found: Body = body.get("generationConfig") or {}
    return found


def _thinking(body: Body) -> Body:
    found: Body = _config(body).get("thinkingConfig") or {}
    return found


def _declared(body: Body) -> Iterator[tuple[str, Body]]:
    for place, tool in enumerate(body.get("tools") or ()):
        for index, declared in enumerate(tool.get("functionDeclarations") or ()):
            yield f"tools[{place}].function_declarations[{index}]", declared


def _contents(body: Body) -> Iterator[tuple[int, Body]]:
    contents = body.get("contents") or ()
    listed = contents if isinstance(contents, list) else [contents]
    for place, content in enumerate(listed):
        if isinstance(content, dict):
            yield place, content


def _of(content: Body) -> list[Body]:
    parts = content.get("parts") or []
    return [one for one in (parts if isinstance(parts, list) else [parts]) if isinstance(one, dict)]


def _calls(content: Body) -> bool:
    return any("functionCall" in part for part in _of(content))


def _parts(body: Body) -> Iterator[tuple[str, Body]]:
    for place, content in _contents(body):
        for index, part in enumerate(_of(content)):
            yield f"contents[{place}].parts[{index}]", part
