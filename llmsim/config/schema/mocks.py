"""The ``mocks`` and ``scripts`` sections: what is answered to requests that match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import Field, ValidationInfo

from llmsim.config.schema.match import MockMatchSection
from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.responses import MockResponseSection
from llmsim.config.schema.section import Each, Section, subsection
from llmsim.config.schema.values import Count, Label, Number, Whole, Words
from llmsim.core.mocks import template
from llmsim.core.mocks.mock import Mock, MockScript, OnExhausted, ScriptKey
from llmsim.core.mocks.regex import compiled

Priority: TypeAlias = Annotated[int, Whole(-1_000_000, 1_000_000)]
Exhausted: TypeAlias = Annotated[OnExhausted, Words(get_args(OnExhausted))]
Responses: TypeAlias = Annotated[tuple[MockResponseSection, ...], Each()]


class MockSection(Section, of=Mock):
    """Answers to requests that match."""

    name: Label | None = Field(None, description="Its name, as in the header `x-llmsim-mock`.")
    match: MockMatchSection = subsection(
        MockMatchSection, "Conditions on the request. Default: every request."
    )
    priority: Priority = Field(
        0, description="Of those that match, the one with the highest priority answers."
    )
    times: Count | None = Field(None, description="How often it is used at most, over all workers.")
    probability: Annotated[float, Number(0, 1)] = Field(
        1.0, description="Share of the matching requests that it is used for."
    )
    response: MockResponseSection | None = Field(None, description="Its response.")
    responses: Responses = Field((), description="Its responses, used in turn over all workers.")
    on_exhausted: Exhausted = Field(
        "repeat_last", description="What follows the last of `responses`."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.response is not None and self.responses:
            yield Problem("responses", "excludes response", ("response",))
        if self.response is None and not self.responses:
            message = "is missing: set response or responses"
            yield Problem("response", message, ("responses",))
        if self.on_exhausted != "repeat_last" and self.response is not None:
            message = "is about responses; one response is never exhausted"
            yield Problem("on_exhausted", message)
        responses = self.responses if self.response is None else (self.response,)
        yield from _groups(self.match, responses, "responses" if self.responses else "response")


class MockScriptSection(Section, of=MockScript):
    """Answers to a conversation, turn by turn."""

    name: Label | None = Field(None, description="Its name, as in the header `x-llmsim-mock`.")
    match: MockMatchSection = subsection(
        MockMatchSection, "Conditions on the request. Default: every request."
    )
    priority: Priority = Field(
        0, description="Of those that match, the one with the highest priority answers."
    )
    key: Annotated[ScriptKey, Words(get_args(ScriptKey))] = Field(
        "conversation",
        description="Whether each conversation is at its own turn, or all requests take turns.",
    )
    on_exhausted: Exhausted = Field("repeat_last", description="What follows the last turn.")
    turns: Responses = Field((), description="The responses, in order.")

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if not self.turns:
            yield Problem("turns", "is missing; must be a list of at least one value")
        elif (
            self.key == "conversation"
            and self.on_exhausted == "loop"
            and all(turn.error is not None for turn in self.turns)
        ):
            message = "every turn is an error: a conversation never gets to the next one"
            yield Problem("turns", message)
        yield from _groups(self.match, self.turns, "turns")


def _groups(
    match: MockMatchSection, responses: Sequence[MockResponseSection], where: str
) -> Problems:
    """Templates that want a group of a regular expression that is not there."""
    wanted = {
        value.of
        for response in responses
        for text in response.build().texts()
        for value in template.values(text)
        if value.name == "match"
    }
    if not wanted:
        return
    also = ("match", "response", "responses", "turns")
    regex = match.build().regex
    if regex is None:
        message = "{{ match.GROUP }} needs a regular expression among the match's own conditions"
        yield Problem(where, message, also)
        return
    pattern = compiled(regex)
    known = {*map(str, range(pattern.groups + 1)), *pattern.groupindex}
    for group in sorted(wanted - known):
        message = f"{{{{ match.{group} }}}}: the expression {regex!r} has no such group"
        yield Problem(where, message, also)


def named_apart(rules: dict[int, Any]) -> Problems:
    """No name twice."""
    seen: set[str] = set()
    for place, rule in rules.items():
        if rule.name is not None and rule.name in seen:
            yield Problem(place, f"{rule.name!r} is the name of another one", part="name")
        seen.add(rule.name or "")
