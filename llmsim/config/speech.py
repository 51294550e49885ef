"""What a mock or a turn of a script says: ``response``.

Texts are templates. What is left out is as it would be without a mock: a response without any
words only bends what would be said, its length in time or its usage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, get_args

import orjson

from llmsim.config.containers import Each, Maybe
from llmsim.config.document import Faults, Items, Node, Scalar, Table, dotted
from llmsim.config.faults import HOUR, KINDS
from llmsim.config.kinds import OneOf, Whole, unfit
from llmsim.config.latency import Rule
from llmsim.config.matching import JSON
from llmsim.config.record import Given, Record
from llmsim.config.template import Template

Ending: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]
Count: TypeAlias = Annotated[int | None, Maybe(Whole(0, 1_000_000_000))]

FREE: Final = Template(empty=True)
SAID: Final = ("content", "tool_calls", "refusal")
BESIDE_ERROR: Final = ("error", "latency")


@dataclass(frozen=True, slots=True)
class Arguments:
    """A call's arguments: JSON text made of a mapping, in which what a template puts in stays
    inside its string, or any text as it is (``free``)."""

    text: str = "{}"
    free: bool = False


@dataclass(frozen=True, slots=True)
class ArgumentsRead:
    """A mapping, or text."""

    valid: str = "a mapping or text"

    def read(self, node: Node, key: str) -> Arguments:
        if isinstance(node, Table):
            faults = Faults()
            _check(node, key, faults)
            faults.settle()
            return Arguments(JSON().read(node, key))
        if not isinstance(node, Scalar):
            raise unfit(node, key, self.valid)
        return Arguments(Template(empty=True, valid=self.valid).read(node, key), free=True)

    def write(self, value: Arguments) -> object:
        return value.text if value.free else orjson.loads(value.text)


def _check(node: Node, key: str, faults: Faults) -> None:
    """Adds the faults of all texts in a value, each of which is a template."""
    if isinstance(node, Table):
        for name, entry in node.entries.items():
            _check(entry.node, dotted(key, name), faults)
    elif isinstance(node, Items):
        for place, item in enumerate(node.nodes):
            _check(item, f"{key}[{place}]", faults)
    elif isinstance(node.value, str):
        with faults.caught():
            FREE.read(node, key)


def strings(given: Arguments) -> Iterator[str]:
    """The texts in a call's arguments, each of which is a template."""
    values = [given.text if given.free else orjson.loads(given.text)]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list):
            values += value


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call."""

    name: Annotated[str, Template()]
    arguments: Annotated[Arguments, ArgumentsRead()] = Arguments()


@dataclass(frozen=True, slots=True)
class UsageSaid:
    """Token counts to be told in place of the real ones."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    reasoning_tokens: Count = None
    cached_tokens: Count = None

    def checked(self, given: Given) -> UsageSaid:
        """The counts, if no part is larger than the whole."""
        for part, whole in (
            ("reasoning_tokens", "completion_tokens"),
            ("cached_tokens", "prompt_tokens"),
        ):
            least, most = getattr(self, part), getattr(self, whole)
            if least is not None and most is not None and least > most:
                given.fault(part, f"is more than {whole}, {most}, which includes it", whole)
        return self


@dataclass(frozen=True, slots=True)
class ErrorSaid:
    """A failure in place of an answer: of a kind or with a status, told ``after`` seconds after
    the request. ``retry_after`` is in seconds."""

    kind: Annotated[str | None, Maybe(OneOf(KINDS))] = None
    status: Annotated[int | None, Maybe(Whole(400, 599))] = None
    message: Annotated[str | None, Maybe(Template())] = None
    code: Annotated[str | None, Maybe(Template())] = None
    param: Annotated[str | None, Maybe(Template())] = None
    retry_after: Annotated[float | None, Maybe(HOUR)] = None
    after: Annotated[float | None, Maybe(HOUR)] = None

    def checked(self, given: Given) -> ErrorSaid:
        if self.kind is None and self.status is None:
            given.fault("", "names no error: set kind or status", "kind", "status")
        return self


@dataclass(frozen=True, slots=True)
class ErrorRead:
    """A kind or a status by itself, or a mapping."""

    valid: str = f"a kind of error, a status, or a mapping; kinds are {', '.join(KINDS)}"

    def read(self, node: Node, key: str) -> ErrorSaid:
        if isinstance(node, Table):
            return Record(ErrorSaid).read(node, key)
        if isinstance(node, Scalar) and isinstance(node.value, int):
            return ErrorSaid(status=Whole(400, 599).read(node, key))
        if not isinstance(node, Scalar):
            raise unfit(node, key, self.valid)
        return ErrorSaid(OneOf(KINDS).read(node, key))

    def write(self, value: ErrorSaid) -> object:
        return Record(ErrorSaid).write(value)


@dataclass(frozen=True, slots=True)
class Speech:
    """One response."""

    content: Annotated[str | None, Maybe(FREE)] = None
    tool_calls: Annotated[tuple[ToolCall, ...], Each(Record(ToolCall))] = ()
    refusal: Annotated[str | None, Maybe(Template())] = None
    reasoning: Annotated[str | None, Maybe(FREE)] = None
    finish_reason: Annotated[Ending | None, Maybe(OneOf(get_args(Ending)))] = None
    usage: Annotated[UsageSaid | None, Maybe(Record(UsageSaid))] = None
    error: Annotated[ErrorSaid | None, Maybe(ErrorRead())] = None
    latency: Annotated[Rule | None, Maybe(Record(Rule))] = None

    @property
    def said(self) -> bool:
        """Whether it has words of its own."""
        return self.content is not None or self.refusal is not None or bool(self.tool_calls)

    def texts(self) -> Iterator[str]:
        """All its templates."""
        for call in self.tool_calls:
            yield call.name
            yield from strings(call.arguments)
        error = self.error or ErrorSaid()
        for text in (self.content, self.refusal, self.reasoning, error.message, error.code):
            yield text or ""
        yield error.param or ""

    def checked(self, given: Given) -> Speech:
        """The response, if it is one thing."""
        present = [name for name in given.table.entries if name in Speech.__slots__]
        if not present:
            given.fault("", f"says nothing: set one of {', '.join(Speech.__slots__)}")
        if self.error is not None:
            for name in present:
                if name not in BESIDE_ERROR:
                    given.fault(name, "an error is told in place of an answer", "error")
        if self.refusal is not None:
            for name in ("content", "tool_calls"):
                if name in present:
                    given.fault(name, "a refusal is given in place of an answer", "refusal")
        if self.finish_reason == "tool_calls" and not self.tool_calls and self.said:
            message = "nothing is called: set tool_calls"
            given.fault("finish_reason", message, "tool_calls", "error")
        return self


@dataclass(frozen=True, slots=True)
class SpeechRead:
    """A response; a text by itself is its content."""

    valid: str = "text, or a mapping"

    def read(self, node: Node, key: str) -> Speech:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return Speech(FREE.read(node, key))
        return Record(Speech).read(node, key)

    def write(self, value: Speech) -> object:
        return Record(Speech).write(value)
