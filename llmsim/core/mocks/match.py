"""The conditions a mock or a script puts on a request: all of them hold.

Texts are looked for in the last user message (``content``), in the system's messages, in any
message, and in the tools' results that came last. ``…_contains`` ignores the case of letters,
``…_regex`` and ``…_equals`` do not; ``case_sensitive`` says otherwise for all of one mapping.
Names (``model``, ``endpoint``, ``dialect``, tools) are shell patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

MatchMode: TypeAlias = Literal["contains", "regex", "equals"]
MatchField: TypeAlias = Literal["content", "system", "any", "tool_result"]

MATCH_FIELDS: Final[tuple[MatchField, ...]] = ("content", "system", "any", "tool_result")
MATCH_MODES: Final[tuple[MatchMode, ...]] = ("contains", "regex", "equals")


@dataclass(frozen=True, slots=True)
class ValueTest:
    """What is asked of one value; all that is set has to hold. ``equals`` is JSON text, ``like``
    a shell pattern."""

    equals: str | None = None
    contains: str | None = None
    regex: str | None = None
    like: str | None = None
    exists: bool | None = None


@dataclass(frozen=True, slots=True)
class TurnRange:
    """Which answer of its conversation is asked for, from 1: from ``min`` to ``max``."""

    min: int = 1
    max: int | None = None


@dataclass(frozen=True, slots=True)
class MockMatch:
    """The conditions; those left out are None or empty. ``body`` and ``headers`` are pairs of a
    path or a header's name and what is asked there."""

    model: str | None = None
    endpoint: str | None = None
    dialect: str | None = None
    content_contains: str | None = None
    content_regex: str | None = None
    content_equals: str | None = None
    system_contains: str | None = None
    system_regex: str | None = None
    system_equals: str | None = None
    any_contains: str | None = None
    any_regex: str | None = None
    any_equals: str | None = None
    tool_result_contains: str | None = None
    tool_result_regex: str | None = None
    tool_result_equals: str | None = None
    tool_call_id: str | None = None
    tools: tuple[str, ...] = ()
    turns: TurnRange | None = None
    body: tuple[tuple[str, ValueTest], ...] = ()
    headers: tuple[tuple[str, ValueTest], ...] = ()
    all_: tuple[MockMatch, ...] = ()
    any_: tuple[MockMatch, ...] = ()
    not_: tuple[MockMatch, ...] = ()
    case_sensitive: bool | None = None

    def text(self, where: MatchField, how: MatchMode) -> str | None:
        """What is looked for in that place, in that way."""
        sought: str | None = getattr(self, f"{where}_{how}")
        return sought

    @property
    def regex(self) -> str | None:
        """The regular expression whose groups templates mean: the first."""
        patterns = (self.text(where, "regex") for where in MATCH_FIELDS)
        return next((pattern for pattern in patterns if pattern is not None), None)

    @property
    def has_texts(self) -> bool:
        """Whether any condition is about a text, the nested ones apart."""
        tests = (test for pairs in (self.body, self.headers) for _, test in pairs)
        return any(self.text(where, how) for where in MATCH_FIELDS for how in MATCH_MODES) or any(
            test.contains or test.regex for test in tests
        )
