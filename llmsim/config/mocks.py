"""The ``mocks`` and ``scripts`` sections: what is said to requests that match.

Of mocks and scripts the one with the highest priority counts; within one priority mocks come
before scripts, each in the order of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, Literal, TypeAlias, TypeVar, get_args

from llmsim.config import template
from llmsim.config.containers import Each, Maybe
from llmsim.config.document import Faults, Items, Node, Table, wrong
from llmsim.config.kinds import Number, OneOf, Text, Whole
from llmsim.config.matching import Match
from llmsim.config.record import Given, Record
from llmsim.config.regex import compiled
from llmsim.config.speech import Speech, SpeechRead

Exhausted: TypeAlias = Literal["repeat_last", "error", "loop"]
CursorKind: TypeAlias = Literal["conversation", "global"]

RESPONSES: Final = Each(SpeechRead())
EVERY: Final = Match()
PRIORITY: Final = Whole(-1_000_000, 1_000_000)

M = TypeVar("M", "Mock", "Script")


@dataclass(frozen=True, slots=True)
class Mock:
    """One rule. Of ``responses`` each is said in turn, counted over all workers; ``response`` is
    the only one. ``times`` is how often the mock is used at most, over all workers."""

    name: Annotated[str | None, Maybe(Text())] = None
    match: Match = EVERY
    priority: Annotated[int, PRIORITY] = 0
    times: Annotated[int | None, Maybe(Whole(1, 1_000_000_000))] = None
    probability: Annotated[float, Number(0, 1)] = 1.0
    response: Annotated[Speech | None, Maybe(SpeechRead())] = None
    responses: Annotated[tuple[Speech, ...], RESPONSES] = ()
    on_exhausted: Annotated[Exhausted, OneOf(get_args(Exhausted))] = "repeat_last"

    @property
    def said(self) -> tuple[Speech, ...]:
        """All it says, in order."""
        return self.responses if self.response is None else (self.response,)

    def checked(self, given: Given) -> Mock:
        """The mock, if it has one kind of response."""
        if self.response is not None and self.responses:
            given.fault("responses", "excludes response", "response")
        if not self.said:
            given.fault("response", "is missing: set response or responses", "responses")
        if self.on_exhausted != "repeat_last" and self.response is not None:
            given.fault("on_exhausted", "is about responses; one response is never exhausted")
        _check_groups(self.match, self.said, given)
        return self


@dataclass(frozen=True, slots=True)
class Script:
    """Turns in order. By ``conversation`` each one has its own place in the script, told by what
    of it the request brings along; by ``global`` all requests share one, over all workers."""

    name: Annotated[str | None, Maybe(Text())] = None
    match: Match = EVERY
    priority: Annotated[int, PRIORITY] = 0
    key: Annotated[CursorKind, OneOf(get_args(CursorKind))] = "conversation"
    on_exhausted: Annotated[Exhausted, OneOf(get_args(Exhausted))] = "repeat_last"
    turns: Annotated[tuple[Speech, ...], RESPONSES] = ()

    def checked(self, given: Given) -> Script:
        """The script, if it says anything."""
        if not self.turns:
            given.fault("turns", f"is missing; must be {RESPONSES.valid}")
        elif (
            self.key == "conversation"
            and self.on_exhausted == "loop"
            and all(turn.error is not None for turn in self.turns)
        ):
            message = "every turn is an error: a conversation never gets to the next one"
            given.fault("turns", message)
        _check_groups(self.match, self.turns, given)
        return self


def _check_groups(match: Match, speeches: Sequence[Speech], given: Given) -> None:
    """Reports templates that want a group of a regular expression that is not there."""
    wanted = {
        value.of
        for speech in speeches
        for text in speech.texts()
        for value in template.values(text)
        if value.name == "match"
    }
    regex = match.regex
    if not wanted or not given.failed.isdisjoint(("match", "response", "responses", "turns")):
        return
    where = "turns" if "turns" in given else "responses" if "responses" in given else "response"
    if regex is None:
        message = "{{ match.GROUP }} needs a regular expression among the match's own conditions"
        given.fault(where, message)
        return
    pattern = compiled(regex)
    known = {*map(str, range(pattern.groups + 1)), *pattern.groupindex}
    for group in sorted(wanted - known):
        given.fault(where, f"{{{{ match.{group} }}}}: the expression {regex!r} has no such group")


@dataclass(frozen=True, slots=True)
class Listed(Generic[M]):
    """A list of mocks or scripts, which may be empty, no name in it given twice."""

    type: type[M]
    valid: str = "a list"

    def read(self, node: Node, key: str) -> tuple[M, ...]:
        if isinstance(node, Items) and not node.nodes:
            return ()
        faults = Faults()
        rules: tuple[M, ...] = ()
        with faults.caught():
            rules = Each(Record(self.type)).read(node, key)
        seen: set[str] = set()
        for place, rule in enumerate(rules):
            if rule.name is not None and rule.name in seen and isinstance(node, Items):
                at = node.nodes[place]
                named = at.entries["name"].place if isinstance(at, Table) else at.place
                message = f"{rule.name!r} is the name of another one"
                faults += wrong(named, f"{key}[{place}].name", message).faults
            seen.add(rule.name or "")
        faults.settle()
        return rules

    def write(self, value: tuple[M, ...]) -> object:
        return Each(Record(self.type)).write(value)


Mocks: TypeAlias = Annotated[tuple[Mock, ...], Listed(Mock)]
Scripts: TypeAlias = Annotated[tuple[Script, ...], Listed(Script)]


def keys(rules: Sequence[Mock] | Sequence[Script]) -> list[str]:
    """A key for each, by which it is counted: its name, or all it says where it has none. So what
    is counted stays with it when others come before it. Equal ones are told apart by order."""
    made: list[str] = []
    seen: dict[str, int] = {}
    for rule in rules:
        key = f"name {rule.name}" if rule.name is not None else repr(rule)
        number = seen[key] = seen.get(key, 0) + 1
        made.append(f"{type(rule).__name__} {number} {key}")
    return made
