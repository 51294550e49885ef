"""What a mock or a turn of a script says: ``response``.

Texts are templates. What is left out is as it would be without a mock: a response without any
words only bends what would be said, its length in time or its usage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

import orjson

from llmsim.config.containers import Each, Maybe
from llmsim.config.document import Faults, Items, Node, Scalar, Table, dotted
from llmsim.config.faults import HOUR, KINDS
from llmsim.config.kinds import OneOf, Whole, unfit
from llmsim.config.matching import JSON
from llmsim.config.record import Given, Record, describe
from llmsim.config.texts import Template
from llmsim.core.latency import LatencyRule
from llmsim.core.mocks.response import (
    MockArguments,
    MockError,
    MockFinish,
    MockResponse,
    MockToolCall,
    MockUsage,
)

COUNT: Final = Maybe(Whole(0, 1_000_000_000))
FREE: Final = Template(empty=True)
BESIDE_ERROR: Final = ("error", "latency")


@dataclass(frozen=True, slots=True)
class ArgumentsRead:
    """A mapping, or text."""

    valid: str = "a mapping or text"

    def read(self, node: Node, key: str) -> MockArguments:
        if isinstance(node, Table):
            faults = Faults()
            _check(node, key, faults)
            faults.settle()
            return MockArguments(JSON().read(node, key))
        if not isinstance(node, Scalar):
            raise unfit(node, key, self.valid)
        return MockArguments(Template(empty=True, valid=self.valid).read(node, key), free=True)

    def write(self, value: MockArguments) -> object:
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


@dataclass(frozen=True, slots=True)
class ErrorRead:
    """A kind or a status by itself, or a mapping."""

    valid: str = f"a kind of error, a status, or a mapping; kinds are {', '.join(KINDS)}"

    def read(self, node: Node, key: str) -> MockError:
        if isinstance(node, Table):
            return Record(MockError).read(node, key)
        if isinstance(node, Scalar) and isinstance(node.value, int):
            return MockError(status=Whole(400, 599).read(node, key))
        if not isinstance(node, Scalar):
            raise unfit(node, key, self.valid)
        return MockError(OneOf(KINDS).read(node, key))

    def write(self, value: MockError) -> object:
        return Record(MockError).write(value)


@dataclass(frozen=True, slots=True)
class ResponseRead:
    """A response; a text by itself is its content."""

    valid: str = "text, or a mapping"

    def read(self, node: Node, key: str) -> MockResponse:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return MockResponse(FREE.read(node, key))
        return Record(MockResponse).read(node, key)

    def write(self, value: MockResponse) -> object:
        return Record(MockResponse).write(value)


def _check_usage(usage: MockUsage, given: Given) -> MockUsage:
    """The counts, if no part is larger than the whole."""
    for part, whole in (
        ("reasoning_tokens", "completion_tokens"),
        ("cached_tokens", "prompt_tokens"),
    ):
        least, most = getattr(usage, part), getattr(usage, whole)
        if least is not None and most is not None and least > most:
            given.fault(part, f"is more than {whole}, {most}, which includes it", whole)
    return usage


def _check_error(error: MockError, given: Given) -> MockError:
    if error.kind is None and error.status is None:
        given.fault("", "names no error: set kind or status", "kind", "status")
    return error


def _check_response(response: MockResponse, given: Given) -> MockResponse:
    """The response, if it is one thing."""
    present = [name for name in given.table.entries if name in MockResponse.__slots__]
    if not present:
        given.fault("", f"says nothing: set one of {', '.join(MockResponse.__slots__)}")
    if response.error is not None:
        for name in present:
            if name not in BESIDE_ERROR:
                given.fault(name, "an error is told in place of an answer", "error")
    if response.refusal is not None:
        for name in ("content", "tool_calls"):
            if name in present:
                given.fault(name, "a refusal is given in place of an answer", "refusal")
    if response.finish_reason == "tool_calls" and not response.tool_calls and response.has_answer:
        message = "nothing is called: set tool_calls"
        given.fault("finish_reason", message, "tool_calls", "error")
    return response


describe(MockToolCall, name=Template(), arguments=ArgumentsRead())
describe(
    MockUsage,
    _check_usage,
    prompt_tokens=COUNT,
    completion_tokens=COUNT,
    reasoning_tokens=COUNT,
    cached_tokens=COUNT,
)
describe(
    MockError,
    _check_error,
    kind=Maybe(OneOf(KINDS)),
    status=Maybe(Whole(400, 599)),
    message=Maybe(Template()),
    code=Maybe(Template()),
    param=Maybe(Template()),
    retry_after=Maybe(HOUR),
    after=Maybe(HOUR),
)
describe(
    MockResponse,
    _check_response,
    content=Maybe(FREE),
    tool_calls=Each(Record(MockToolCall)),
    refusal=Maybe(Template()),
    reasoning=Maybe(FREE),
    finish_reason=Maybe(OneOf(get_args(MockFinish))),
    usage=Maybe(Record(MockUsage)),
    error=Maybe(ErrorRead()),
    latency=Maybe(Record(LatencyRule)),
)
