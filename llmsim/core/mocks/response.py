"""What a mock or a turn of a script answers.

Texts are templates. What is left out is as it would be without a mock: a response without any
words only bends the answer's length in time or its usage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from llmsim.core.latency import LatencyRule
from llmsim.core.mocks.on_miss import OnMiss


@dataclass(frozen=True, slots=True)
class MockArguments:
    """A call's arguments: JSON text made of a mapping, in which what a template puts in stays
    inside its string, or any text as it is (``free``)."""

    text: str = "{}"
    free: bool = False

    def strings(self) -> Iterator[str]:
        """The texts in it, each of which is a template."""
        values = [self.text if self.free else orjson.loads(self.text)]
        while values:
            value = values.pop()
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                values += value.values()
            elif isinstance(value, list):
                values += value


@dataclass(frozen=True, slots=True)
class MockToolCall:
    """One call."""

    name: str
    arguments: MockArguments = MockArguments()


@dataclass(frozen=True, slots=True)
class MockUsage:
    """Token counts to be reported in place of the real ones."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class MockError:
    """A failure in place of an answer: of a kind or with a status, sent ``after`` seconds after
    the request. ``retry_after`` is in seconds."""

    kind: str | None = None
    status: int | None = None
    message: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class MockResponse:
    """One response. ``finish_reason`` is one of :data:`llmsim.core.mocks.finishes.FINISHES`,
    ``block_reason`` what Gemini says of a prompt it does not answer, ``recording`` the id of the
    recording that is replayed as the answer; ``on_miss`` leaves it to who answers after mocks, or
    to what it says if nobody does."""

    content: str | None = None
    tool_calls: tuple[MockToolCall, ...] = ()
    refusal: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    block_reason: str | None = None
    usage: MockUsage | None = None
    error: MockError | None = None
    latency: LatencyRule | None = None
    recording: str | None = None
    on_miss: OnMiss | None = None

    @property
    def has_answer(self) -> bool:
        """Whether it has words of its own."""
        return self.content is not None or self.refusal is not None or bool(self.tool_calls)

    def texts(self) -> Iterator[str]:
        """All its templates."""
        for call in self.tool_calls:
            yield call.name
            yield from call.arguments.strings()
        error = self.error or MockError()
        for text in (self.content, self.refusal, self.reasoning, error.message, error.code):
            yield text or ""
        yield error.param or ""
