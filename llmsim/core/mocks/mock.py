"""Mocks and scripts: what is answered to requests that match.

Of mocks and scripts the one with the highest priority counts; within one priority mocks come
before scripts, each in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from llmsim.core.mocks.match import MockMatch
from llmsim.core.mocks.response import MockResponse

OnExhausted: TypeAlias = Literal["repeat_last", "error", "loop"]
ScriptKey: TypeAlias = Literal["conversation", "global"]

MATCH_ALL: Final = MockMatch()


@dataclass(frozen=True, slots=True)
class Mock:
    """One rule. Of ``responses`` each is given in turn, counted over all workers; ``response`` is
    the only one. ``times`` is how often the mock is used at most, over all workers."""

    name: str | None = None
    match: MockMatch = MATCH_ALL
    priority: int = 0
    times: int | None = None
    probability: float = 1.0
    response: MockResponse | None = None
    responses: tuple[MockResponse, ...] = ()
    on_exhausted: OnExhausted = "repeat_last"

    @property
    def all_responses(self) -> tuple[MockResponse, ...]:
        """All it answers, in order."""
        return self.responses if self.response is None else (self.response,)


@dataclass(frozen=True, slots=True)
class MockScript:
    """Turns in order. By ``conversation`` each one has its own place in the script, which follows
    from what of it the request brings along; by ``global`` all requests share one, over all
    workers."""

    name: str | None = None
    match: MockMatch = MATCH_ALL
    priority: int = 0
    key: ScriptKey = "conversation"
    on_exhausted: OnExhausted = "repeat_last"
    turns: tuple[MockResponse, ...] = ()


def recordings_named(rules: Iterable[Mock | MockScript]) -> dict[str, None]:
    """The recordings that are answers of these, in their order."""
    return {
        response.recording: None
        for rule in rules
        for response in (rule.all_responses if isinstance(rule, Mock) else rule.turns)
        if response.recording is not None
    }


def counter_keys(rules: Sequence[Mock] | Sequence[MockScript]) -> list[str]:
    """A key for each, by which it is counted: its name, or all it says where it has none. So what
    is counted stays with it when others come before it. Equal ones are kept apart by order."""
    made: list[str] = []
    seen: dict[str, int] = {}
    for rule in rules:
        key = f"name {rule.name}" if rule.name is not None else repr(rule)
        number = seen[key] = seen.get(key, 0) + 1
        made.append(f"{type(rule).__name__} {number} {key}")
    return made
