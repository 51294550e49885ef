"""What a mock or a turn of a script answers: ``response``."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import orjson
from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails

from llmsim.config.schema.latency import LatencyRuleSection
from llmsim.config.schema.match import json_text
from llmsim.config.schema.on_miss import Outcome
from llmsim.config.schema.problems import Problem, Problems, at_place, raised
from llmsim.config.schema.section import Each, Section
from llmsim.config.schema.values import (
    KINDS,
    FreeTemplate,
    Hour,
    Kind,
    Line,
    Status,
    Template,
    Text,
    Whole,
    Words,
    fault,
    unfit,
)
from llmsim.core.mocks import template
from llmsim.core.mocks.finishes import NEUTRAL, OWN
from llmsim.core.mocks.response import (
    MockArguments,
    MockError,
    MockResponse,
    MockToolCall,
    MockUsage,
)

Tokens: TypeAlias = Annotated[int, Whole(0, 1_000_000_000)]

INSTEAD: Final = (
    ("error", ("error", "latency"), "an error is told in place of an answer"),
    ("recording", ("recording",), "a recording is the whole answer"),
    ("on_miss", ("on_miss", "latency"), "somebody else gives the answer"),
)
"""What stands in place of an answer, the keys that may be beside it, and what is wrong with
others."""
_FREE: Final = Text("a mapping or text", template.parsed, empty=True)


def _arguments(value: Any) -> MockArguments:
    if not isinstance(value, dict):
        return MockArguments(_FREE.read(value), free=True)
    errors: list[InitErrorDetails] = []
    _check(value, (), errors)
    raised(errors)
    return MockArguments(json_text(value))


def _check(value: Any, loc: tuple[str | int, ...], errors: list[InitErrorDetails]) -> None:
    """Adds the errors of all texts in a value, each of which is a template."""
    if isinstance(value, dict):
        for name, item in value.items():
            _check(item, (*loc, name), errors)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _check(item, (*loc, place), errors)
    elif isinstance(value, str):
        try:
            template.parsed(value)
        except ValueError as error:
            errors.append(at_place(fault(str(error)), loc))


Arguments: TypeAlias = Annotated[
    Any, BeforeValidator(_arguments), WithJsonSchema({"type": ["object", "string"]})
]


class MockToolCallSection(Section, of=MockToolCall):
    """A tool call."""

    name: Template = Field(description="The tool's name.")
    arguments: Arguments = Field(
        MockArguments(), description="Its arguments: a mapping, or a text as it is."
    )

    @classmethod
    def write(cls, value: MockToolCall) -> Any:
        arguments = value.arguments
        text: Any = arguments.text if arguments.free else orjson.loads(arguments.text)
        return {"name": value.name, "arguments": text}


class MockUsageSection(Section, of=MockUsage):
    """Token counts that are reported in place of the real ones."""

    prompt_tokens: Tokens | None = Field(None, description="Tokens of the prompt.")
    completion_tokens: Tokens | None = Field(None, description="Tokens of the answer.")
    reasoning_tokens: Tokens | None = Field(
        None, description="Reasoning tokens, which are part of the completion."
    )
    cached_tokens: Tokens | None = Field(
        None, description="Cached tokens, which are part of the prompt."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        for part, whole in (
            ("reasoning_tokens", "completion_tokens"),
            ("cached_tokens", "prompt_tokens"),
        ):
            least, most = getattr(self, part), getattr(self, whole)
            if least is not None and most is not None and least > most:
                yield Problem(part, f"is more than {whole}, {most}, which includes it", (whole,))


class MockErrorSection(Section, of=MockError):
    """An error in place of an answer; a kind or a status by itself stands for just that."""

    kind: Kind | None = Field(None, description="The kind of error.")
    status: Status | None = Field(None, description="Status of the error.")
    message: Template | None = Field(None, description="Message of the error.")
    code: Template | None = Field(None, description="Code of the error.")
    param: Template | None = Field(None, description="Field that the error is about.")
    retry_after_ms: Hour | None = Field(
        None, description="Milliseconds that clients are asked to wait."
    )
    after_ms: Hour | None = Field(None, description="Milliseconds from the request to the error.")

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if isinstance(value, list):
            valid = f"a kind of error, a status, or a mapping; kinds are {', '.join(KINDS)}"
            raise unfit(valid)
        if isinstance(value, int):
            return {"status": value}
        return value if isinstance(value, dict) else {"kind": value}

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.kind is None and self.status is None:
            yield Problem("", "names no error: set kind or status", ("kind", "status"))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        status = {"type": "integer", "minimum": 400, "maximum": 599}
        return {"anyOf": [{"enum": list(KINDS)}, status, handler(core)]}


BLOCKS = (
    "SAFETY",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "IMAGE_SAFETY",
    "MODEL_ARMOR",
    "JAILBREAK",
)
"""google-genai's BlockedReason."""


class MockResponseSection(Section, of=MockResponse):
    """One response; a text by itself is its content. Texts may have templates: `{{ model }}`."""

    content: FreeTemplate | None = Field(None, description="The answer's text.")
    tool_calls: Annotated[tuple[MockToolCallSection, ...], Each()] = Field(
        (), description="The tools that are called."
    )
    refusal: Template | None = Field(None, description="A refusal in place of an answer.")
    reasoning: FreeTemplate | None = Field(
        None, description="The reasoning: counted, and shown where the API shows it."
    )
    finish_reason: Annotated[str, Words(tuple({**NEUTRAL, **OWN}))] | None = Field(
        None,
        description="Why the answer ended: in OpenAI's words, or in a provider's own, for which "
        "the others say what comes nearest.",
    )
    block_reason: Annotated[str, Words(BLOCKS)] | None = Field(
        None,
        description="Gemini only: why the prompt is not answered; `promptFeedback` says it, in "
        "place of candidates.",
    )
    usage: MockUsageSection | None = None
    error: MockErrorSection | None = None
    latency: LatencyRuleSection | None = Field(None, description="How the answer is paced.")
    recording: Line | None = Field(
        None, description="The id of the recording in `replay.path` that is the answer."
    )
    on_miss: Outcome | None = Field(
        None,
        description="In place of an answer: the recorded one, or what the section of that name "
        "says of these words.",
    )

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return {"content": value} if isinstance(value, str) else super().long_form(value)

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        names = [name for name in self.key_names() if name in present]
        if not names:
            yield Problem("", f"says nothing: set one of {', '.join(self.key_names())}")
        for key, beside, message in INSTEAD:
            if getattr(self, key) is not None:
                for name in names:
                    if name not in beside:
                        yield Problem(name, message, (key,))
        if self.refusal is not None:
            for name in ("content", "tool_calls"):
                if name in names:
                    message = "a refusal is given in place of an answer"
                    yield Problem(name, message, ("refusal",))
        if self.finish_reason == "tool_calls" and not self.tool_calls and self.build().has_answer:
            message = "nothing is called: set tool_calls"
            yield Problem("finish_reason", message, ("tool_calls", "error"))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(core)]}
