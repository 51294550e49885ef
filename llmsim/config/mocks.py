"""The ``mocks`` and ``scripts`` sections: what is said to requests that match.

Of mocks and scripts the one with the highest priority counts; within one priority mocks come
before scripts, each in the order of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeAlias, TypeVar, get_args

from llmsim.config.containers import Each, Maybe
from llmsim.config.document import Faults, Items, Node, Table, wrong
from llmsim.config.kinds import Number, OneOf, Text, Whole
from llmsim.config.record import Given, Record, describe
from llmsim.config.speech import ResponseRead
from llmsim.core.mocks import template
from llmsim.core.mocks.match import MockMatch
from llmsim.core.mocks.mock import Mock, MockScript, OnExhausted, ScriptKey
from llmsim.core.mocks.regex import compiled
from llmsim.core.mocks.response import MockResponse

RESPONSES: Final = Each(ResponseRead())
PRIORITY: Final = Whole(-1_000_000, 1_000_000)

M = TypeVar("M", "Mock", "MockScript")


def _check_mock(mock: Mock, given: Given) -> Mock:
    """The mock, if it has one kind of response."""
    if mock.response is not None and mock.responses:
        given.fault("responses", "excludes response", "response")
    if not mock.all_responses:
        given.fault("response", "is missing: set response or responses", "responses")
    if mock.on_exhausted != "repeat_last" and mock.response is not None:
        given.fault("on_exhausted", "is about responses; one response is never exhausted")
    _check_groups(mock.match, mock.all_responses, given)
    return mock


def _check_script(script: MockScript, given: Given) -> MockScript:
    """The script, if it says anything."""
    if not script.turns:
        given.fault("turns", f"is missing; must be {RESPONSES.valid}")
    elif (
        script.key == "conversation"
        and script.on_exhausted == "loop"
        and all(turn.error is not None for turn in script.turns)
    ):
        message = "every turn is an error: a conversation never gets to the next one"
        given.fault("turns", message)
    _check_groups(script.match, script.turns, given)
    return script


def _check_groups(match: MockMatch, speeches: Sequence[MockResponse], given: Given) -> None:
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
Scripts: TypeAlias = Annotated[tuple[MockScript, ...], Listed(MockScript)]

describe(
    Mock,
    _check_mock,
    name=Maybe(Text()),
    match=Record(MockMatch),
    priority=PRIORITY,
    times=Maybe(Whole(1, 1_000_000_000)),
    probability=Number(0, 1),
    response=Maybe(ResponseRead()),
    responses=RESPONSES,
    on_exhausted=OneOf(get_args(OnExhausted)),
)
describe(
    MockScript,
    _check_script,
    name=Maybe(Text()),
    match=Record(MockMatch),
    priority=PRIORITY,
    key=OneOf(get_args(ScriptKey)),
    on_exhausted=OneOf(get_args(OnExhausted)),
    turns=RESPONSES,
)
