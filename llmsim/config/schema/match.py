"""What a mock or a script asks of a request: ``match``."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final

import orjson
from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails

from llmsim.config.schema.problems import Problem, Problems, at_place, raised
from llmsim.config.schema.section import Each, Section, plain
from llmsim.config.schema.values import (
    Line,
    Name,
    Named,
    PathInBody,
    Regex,
    ShellPattern,
    ShortForm,
    Switch,
    Whole,
    fault,
    text,
    unfit,
)
from llmsim.core.mocks.match import MockMatch, TurnRange, ValueTest

DEEPEST: Final = 20
"""How deep ``all``, ``any`` and ``not`` may be nested."""
NESTED: Final = ("all", "any", "not")


def json_text(value: Any) -> str:
    """A value as JSON text. Raises ValidationError for what JSON has not."""
    errors: list[InitErrorDetails] = []
    _json(value, (), errors)
    if not errors:
        try:
            return orjson.dumps(value).decode()
        except orjson.JSONEncodeError as error:
            errors.append(at_place(fault(f"cannot be JSON: {error}")))
    raised(errors)
    raise AssertionError


def _json(value: Any, loc: tuple[str | int, ...], errors: list[InitErrorDetails]) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _json(item, (*loc, name), errors)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _json(item, (*loc, place), errors)
    elif isinstance(value, float) and not math.isfinite(value):
        errors.append(at_place(fault("JSON has no such number"), loc))
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        errors.append(at_place(fault("a whole number of more than 64 bits"), loc))


class ValueTestSection(Section, of=ValueTest):
    """A test of one value; all that is set must hold. A value by itself means `equals`."""

    equals: Annotated[Any, BeforeValidator(json_text)] = Field(
        None, description="It is exactly this JSON value."
    )
    contains: Line | None = Field(
        None, description="It contains this text; upper and lower case do not differ."
    )
    regex: Regex | None = Field(
        None, description="This regular expression matches somewhere in it."
    )
    like: ShellPattern | None = Field(None, description="It fits this shell pattern.")
    exists: Switch | None = Field(None, description="Whether there is such a value at all.")

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if isinstance(value, list):
            raise unfit(f"a value, or {cls.valid()}")
        return value if isinstance(value, dict) else {"equals": value}

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if not present:
            yield Problem("", f"tests nothing: set one of {', '.join(self.key_names())}")
        if self.exists is False and len(present) > 1:
            yield Problem("exists", "what does not exist has no value to test")

    @classmethod
    def write(cls, value: ValueTest) -> Any:
        written = super().write(value)
        if value.equals is not None:
            written["equals"] = orjson.loads(value.equals)
        return written

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        scalar = {"type": ["string", "number", "boolean", "null"]}
        return {"anyOf": [scalar, {**handler(core), "minProperties": 1}]}


class HeaderTestSection(ValueTestSection):
    """What is asked of a header. A value by itself is a shell pattern that it has to fit."""

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if isinstance(value, list):
            raise unfit(f"a value, or {cls.valid()}")
        return value if isinstance(value, dict) else {"like": text(value, "a shell pattern")}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        pattern = {"type": "string", "minLength": 1}
        return {"anyOf": [pattern, {**handler(core), "minProperties": 1}]}


class TurnRangeSection(Section, of=TurnRange):
    """The number of the answer in its conversation, from 1, or a range."""

    min: Annotated[int, Whole(1, 1_000_000)] = Field(1, description="First number of the range.")
    max: Annotated[int, Whole(1, 1_000_000)] | None = Field(
        None, description="Last number of the range."
    )

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"min": value, "max": value}

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.max is not None and self.max < self.min:
            yield Problem("max", f"is less than min, {self.min}", ("min",))

    @classmethod
    def write(cls, value: TurnRange) -> Any:
        return value.min if value.min == value.max else super().write(value)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "integer", "minimum": 1}, handler(core)]}


def _one_or_more(value: Any) -> Any:
    if isinstance(value, list):
        return value
    return [text(value, "a name or a list of names")] if not isinstance(value, dict) else value


def _single(value: Any) -> Any:
    if not isinstance(value, dict):
        raise unfit(MockMatchSection.valid())
    return [value]


ONE_OR_MORE: Final = ShortForm(_one_or_more, lambda list_: {"anyOf": [list_["items"], list_]})
SINGLE: Final = ShortForm(_single, lambda list_: list_["items"])
"""One mapping of conditions; held as a list of one, like the other nested ones."""


def _depth(value: Any, depth: int = 0) -> int:
    """How deep conditions are nested, as far as it matters."""
    if depth > DEEPEST or not isinstance(value, dict):
        return depth
    inner: list[Any] = []
    for name in NESTED:
        nested = value.get(name, [])
        inner += nested if isinstance(nested, list) else [nested]
    return max((_depth(item, depth + 1) for item in inner), default=depth)


class MockMatchSection(Section, of=MockMatch):
    """Conditions on a request, all of which must hold. Without any, every request matches."""

    model: ShellPattern | None = Field(None, description="Shell pattern of the model's name.")
    endpoint: ShellPattern | None = Field(None, description="Shell pattern of the path.")
    dialect: ShellPattern | None = Field(None, description="Shell pattern of the API.")
    content_contains: Line | None = Field(
        None,
        description="The last user message contains this text; upper and lower case do not differ.",
    )
    content_regex: Regex | None = Field(
        None,
        description="This regular expression (RE2) matches somewhere in the last user message.",
    )
    content_equals: Line | None = Field(
        None, description="The last user message is exactly this text."
    )
    system_contains: Line | None = Field(None, description="A system message contains this text.")
    system_regex: Regex | None = Field(
        None, description="This regular expression matches somewhere in a system message."
    )
    system_equals: Line | None = Field(None, description="A system message is exactly this text.")
    any_contains: Line | None = Field(None, description="A message contains this text.")
    any_regex: Regex | None = Field(
        None, description="This regular expression matches somewhere in a message."
    )
    any_equals: Line | None = Field(None, description="A message is exactly this text.")
    tool_result_contains: Line | None = Field(
        None, description="A tool's result since the last answer contains this text."
    )
    tool_result_regex: Regex | None = Field(
        None,
        description="This expression matches somewhere in a tool's result since the last answer.",
    )
    tool_result_equals: Line | None = Field(
        None, description="A tool's result since the last answer is exactly this text."
    )
    tool_call_id: ShellPattern | None = Field(
        None, description="A tool's result since the last answer belongs to a call whose id fits."
    )
    tools: Annotated[tuple[Line, ...], Each(), ONE_OR_MORE] = Field(
        (), description="The request offers tools of all these names (shell patterns)."
    )
    turns: TurnRangeSection | None = Field(
        None, description="The answer asked for has this number in its conversation, from 1."
    )
    body: Annotated[dict[PathInBody, ValueTestSection], Named("path")] = Field(
        {}, description="Path in the JSON body (`messages[-1].role`): value or test."
    )
    headers: Annotated[dict[Annotated[str, Name("header")], HeaderTestSection], Named("header")] = (
        Field({}, description="Name of a header: shell pattern or test.")
    )
    all_: Annotated[tuple[MockMatchSection, ...], Each()] = Field(
        (), description="All of these conditions hold."
    )
    any_: Annotated[tuple[MockMatchSection, ...], Each()] = Field(
        (), description="Any of these conditions holds."
    )
    not_: Annotated[tuple[MockMatchSection, ...], SINGLE] = Field(
        (), description="These conditions do not hold."
    )
    case_sensitive: Switch | None = Field(
        None, description="true: `contains` heeds case; false: `equals` and `regex` do not."
    )

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if _depth(value) > DEEPEST:
            raise fault(f"nested more than {DEEPEST} deep")
        return super().long_form(value)

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.case_sensitive is not None and not self.build().has_texts:
            message = "is about texts, and no condition here has one"
            yield Problem("case_sensitive", message, tuple(present))

    @classmethod
    def write(cls, value: MockMatch) -> Any:
        written = super().write(value)
        if value.not_:
            written["not"] = plain(value.not_[0])
        return written
