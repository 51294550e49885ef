"""What a mock or a script asks of a request: all the conditions of a mapping hold.

Texts are looked for in the last user message (``content``), in the system's messages, in any
message, and in the tools' results that came last. ``…_contains`` ignores the case of letters,
``…_regex`` and ``…_equals`` do not; ``case_sensitive`` says otherwise for all of one mapping.
Names (``model``, ``endpoint``, ``dialect``, tools) are shell patterns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from llmsim.config.containers import Each, Maybe, Named
from llmsim.config.document import Faults, Items, Node, Scalar, Table, dotted, wrong
from llmsim.config.kinds import Switch, Text, Whole, unfit
from llmsim.config.record import Given, Record, describe
from llmsim.config.texts import Regex, check_path
from llmsim.core.mocks.match import MATCH_FIELDS, MATCH_MODES, MockMatch, TurnRange, ValueTest

DEEPEST: Final = 20
"""How deep ``all``, ``any`` and ``not`` may be nested."""

WORDS: Final = Maybe(Text())
PATTERN: Final = Maybe(Regex())
NAME: Final = Maybe(Text("a shell pattern"))


def plain(node: Node, key: str) -> Any:
    """The value of a node as JSON has it. Raises ConfigError for NaN and infinities."""
    if isinstance(node, Table):
        return {name: plain(entry.node, dotted(key, name)) for name, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(item, f"{key}[{place}]") for place, item in enumerate(node.nodes)]
    value = node.value
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong(node.place, key, "JSON has no such number")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise wrong(node.place, key, "a whole number of more than 64 bits")
    return value


@dataclass(frozen=True, slots=True)
class JSON:
    """Any value, held as JSON text."""

    valid: str = "any value"

    def read(self, node: Node, key: str) -> str:
        value = plain(node, key)
        try:
            return orjson.dumps(value).decode()
        except orjson.JSONEncodeError as error:
            raise wrong(node.place, key, f"cannot be JSON: {error}") from None

    def write(self, value: str) -> object:
        written: object = orjson.loads(value)
        return written


def _check_test(test: ValueTest, given: Given) -> ValueTest:
    """The test, if it asks anything that can be."""
    if not given.table.entries:
        given.fault("", f"tests nothing: set one of {', '.join(TESTS)}")
    if test.exists is False and len(given.table.entries) > 1:
        given.fault("exists", "what does not exist has no value to test")
    return test


def _check_turns(turns: TurnRange, given: Given) -> TurnRange:
    if turns.max is not None and turns.max < turns.min:
        given.fault("max", f"is less than min, {turns.min}", "min")
    return turns


def _check_match(match: MockMatch, given: Given) -> MockMatch:
    """The conditions, if there are any for ``case_sensitive`` to be about."""
    if match.case_sensitive is not None and not match.has_texts and not given.failed:
        given.fault("case_sensitive", "is about texts, and no condition here has one")
    return match


TESTS: Final = ("equals", "contains", "regex", "like", "exists")


@dataclass(frozen=True, slots=True)
class Sought:
    """A :class:`ValueTest`, or the value itself: what it has to equal (``bare`` says which of the
    tests that stands for)."""

    bare: Literal["equals", "like"]
    valid: str = f"a value, or a mapping with the keys {', '.join(TESTS)}"

    def read(self, node: Node, key: str) -> ValueTest:
        if isinstance(node, Table):
            return Record(ValueTest).read(node, key)
        if isinstance(node, Items):
            raise unfit(node, key, self.valid)
        if self.bare == "like":
            return ValueTest(like=Text("a shell pattern").read(node, key))
        return ValueTest(equals=JSON().read(node, key))

    def write(self, value: ValueTest) -> object:
        return Record(ValueTest).write(value)


@dataclass(frozen=True, slots=True)
class Paths:
    """A mapping of paths in the body to what is asked there."""

    valid: str = "a mapping with paths as keys"

    def read(self, node: Node, key: str) -> tuple[tuple[str, ValueTest], ...]:
        tests = Named(Sought("equals"), "path").read(node, key)
        faults = Faults()
        for path, _ in tests:
            with faults.caught():
                check_path(node, dotted(key, path), path)
        faults.settle()
        return tests

    def write(self, value: tuple[tuple[str, ValueTest], ...]) -> object:
        return Named(Sought("equals"), "path").write(value)


@dataclass(frozen=True, slots=True)
class TurnRangeRead:
    """One number, or a range."""

    valid: str = "a whole number from 1, or a mapping with the keys min, max"

    def read(self, node: Node, key: str) -> TurnRange:
        if isinstance(node, Table):
            return Record(TurnRange).read(node, key)
        number = Whole(1, 1_000_000).read(node, key)
        return TurnRange(number, number)

    def write(self, value: TurnRange) -> object:
        return value.min if value.min == value.max else Record(TurnRange).write(value)


@dataclass(frozen=True, slots=True)
class OneOrMore:
    """Shell patterns of names: one, or a list."""

    valid: str = "a name or a list of names"

    def read(self, node: Node, key: str) -> tuple[str, ...]:
        if isinstance(node, Scalar):
            return (Text(self.valid).read(node, key),)
        return Each(Text()).read(node, key)

    def write(self, value: tuple[str, ...]) -> object:
        return list(value)


@dataclass(frozen=True, slots=True)
class Nested:
    """Further conditions: one mapping, or with ``several`` a list of them."""

    several: bool = True
    valid: str = "a list of mappings of conditions"

    def read(self, node: Node, key: str) -> tuple[MockMatch, ...]:
        # Each level stands in the key; the place of an item in its list may, too.
        if key.count(".") > 2 * DEEPEST:
            raise wrong(node.place, key, f"nested more than {DEEPEST} deep")
        if self.several:
            return Each(Record(MockMatch)).read(node, key)
        return (Record(MockMatch).read(node, key),)

    def write(self, value: tuple[MockMatch, ...]) -> object:
        written = [Record(MockMatch).write(one) for one in value]
        return written if self.several else written[0]


describe(
    ValueTest,
    _check_test,
    equals=JSON(),
    contains=WORDS,
    regex=PATTERN,
    like=NAME,
    exists=Maybe(Switch()),
)
describe(TurnRange, _check_turns, min=Whole(1, 1_000_000), max=Maybe(Whole(1, 1_000_000)))
describe(
    MockMatch,
    _check_match,
    **dict.fromkeys(("model", "endpoint", "dialect", "tool_call_id"), NAME),
    **{
        f"{where}_{how}": PATTERN if how == "regex" else WORDS
        for where in MATCH_FIELDS
        for how in MATCH_MODES
    },
    tools=OneOrMore(),
    turns=Maybe(TurnRangeRead()),
    body=Paths(),
    headers=Named(Sought("like"), "header"),
    all_=Nested(),
    any_=Nested(),
    not_=Nested(several=False),
    case_sensitive=Maybe(Switch()),
)
