"""What a mock or a script asks of a request: all the conditions of a mapping hold.

Texts are looked for in the last user message (``content``), in the system's messages, in any
message, and in the tools' results that came last. ``…_contains`` ignores the case of letters,
``…_regex`` and ``…_equals`` do not; ``case_sensitive`` says otherwise for all of one mapping.
Names (``model``, ``endpoint``, ``dialect``, tools) are shell patterns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeAlias

import orjson

from llmsim.config import bodypath
from llmsim.config.containers import Each, Maybe, Named
from llmsim.config.document import Faults, Items, Node, Scalar, Table, dotted, wrong
from llmsim.config.kinds import Switch, Text, Whole, unfit
from llmsim.config.record import Given, Record
from llmsim.config.regex import Regex

How: TypeAlias = Literal["contains", "regex", "equals"]
Where: TypeAlias = Literal["content", "system", "any", "tool_result"]

WHERE: Final[tuple[Where, ...]] = ("content", "system", "any", "tool_result")
HOW: Final[tuple[How, ...]] = ("contains", "regex", "equals")
DEEPEST: Final = 20
"""How deep ``all``, ``any`` and ``not`` may be nested."""

Words: TypeAlias = Annotated[str | None, Maybe(Text())]
Pattern: TypeAlias = Annotated[str | None, Maybe(Regex())]
Name: TypeAlias = Annotated[str | None, Maybe(Text("a shell pattern"))]


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


@dataclass(frozen=True, slots=True)
class Test:
    """What is asked of one value; all that is set has to hold. ``equals`` is JSON text."""

    equals: Annotated[str | None, JSON()] = None
    contains: Words = None
    regex: Pattern = None
    like: Name = None
    exists: Annotated[bool | None, Maybe(Switch())] = None

    def checked(self, given: Given) -> Test:
        """The test, if it asks anything that can be."""
        if not given.table.entries:
            given.fault("", f"tests nothing: set one of {', '.join(TESTS)}")
        if self.exists is False and len(given.table.entries) > 1:
            given.fault("exists", "what does not exist has no value to test")
        return self


TESTS: Final = ("equals", "contains", "regex", "like", "exists")


@dataclass(frozen=True, slots=True)
class Sought:
    """A :class:`Test`, or the value itself: what it has to equal (``bare`` says which of the
    tests that stands for)."""

    bare: Literal["equals", "like"]
    valid: str = f"a value, or a mapping with the keys {', '.join(TESTS)}"

    def read(self, node: Node, key: str) -> Test:
        if isinstance(node, Table):
            return Record(Test).read(node, key)
        if isinstance(node, Items):
            raise unfit(node, key, self.valid)
        if self.bare == "like":
            return Test(like=Text("a shell pattern").read(node, key))
        return Test(equals=JSON().read(node, key))

    def write(self, value: Test) -> object:
        return Record(Test).write(value)


@dataclass(frozen=True, slots=True)
class Paths:
    """A mapping of paths in the body to what is asked there."""

    valid: str = "a mapping with paths as keys"

    def read(self, node: Node, key: str) -> tuple[tuple[str, Test], ...]:
        tests = Named(Sought("equals"), "path").read(node, key)
        faults = Faults()
        for path, _ in tests:
            with faults.caught():
                bodypath.check(node, dotted(key, path), path)
        faults.settle()
        return tests

    def write(self, value: tuple[tuple[str, Test], ...]) -> object:
        return Named(Sought("equals"), "path").write(value)


@dataclass(frozen=True, slots=True)
class Turns:
    """Which answer of its conversation is asked for, from 1: from ``min`` to ``max``."""

    min: Annotated[int, Whole(1, 1_000_000)] = 1
    max: Annotated[int | None, Maybe(Whole(1, 1_000_000))] = None

    def checked(self, given: Given) -> Turns:
        if self.max is not None and self.max < self.min:
            given.fault("max", f"is less than min, {self.min}", "min")
        return self


@dataclass(frozen=True, slots=True)
class TurnRange:
    """One number, or a range."""

    valid: str = "a whole number from 1, or a mapping with the keys min, max"

    def read(self, node: Node, key: str) -> Turns:
        if isinstance(node, Table):
            return Record(Turns).read(node, key)
        number = Whole(1, 1_000_000).read(node, key)
        return Turns(number, number)

    def write(self, value: Turns) -> object:
        return value.min if value.min == value.max else Record(Turns).write(value)


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

    def read(self, node: Node, key: str) -> tuple[Match, ...]:
        # Each level stands in the key; the place of an item in its list may, too.
        if key.count(".") > 2 * DEEPEST:
            raise wrong(node.place, key, f"nested more than {DEEPEST} deep")
        if self.several:
            return Each(Record(Match)).read(node, key)
        return (Record(Match).read(node, key),)

    def write(self, value: tuple[Match, ...]) -> object:
        written = [Record(Match).write(one) for one in value]
        return written if self.several else written[0]


@dataclass(frozen=True, slots=True)
class Match:
    """The conditions; those left out are None or empty."""

    model: Name = None
    endpoint: Name = None
    dialect: Name = None
    content_contains: Words = None
    content_regex: Pattern = None
    content_equals: Words = None
    system_contains: Words = None
    system_regex: Pattern = None
    system_equals: Words = None
    any_contains: Words = None
    any_regex: Pattern = None
    any_equals: Words = None
    tool_result_contains: Words = None
    tool_result_regex: Pattern = None
    tool_result_equals: Words = None
    tool_call_id: Name = None
    tools: Annotated[tuple[str, ...], OneOrMore()] = ()
    turns: Annotated[Turns | None, Maybe(TurnRange())] = None
    body: Annotated[tuple[tuple[str, Test], ...], Paths()] = ()
    headers: Annotated[tuple[tuple[str, Test], ...], Named(Sought("like"), "header")] = ()
    all_: Annotated[tuple[Match, ...], Nested()] = field(default=())
    any_: Annotated[tuple[Match, ...], Nested()] = field(default=())
    not_: Annotated[tuple[Match, ...], Nested(several=False)] = field(default=())
    case_sensitive: Annotated[bool | None, Maybe(Switch())] = None

    def text(self, where: Where, how: How) -> str | None:
        """What is looked for in that place, in that way."""
        sought: str | None = getattr(self, f"{where}_{how}")
        return sought

    @property
    def regex(self) -> str | None:
        """The regular expression whose groups templates mean: the first."""
        patterns = (self.text(where, "regex") for where in WHERE)
        return next((pattern for pattern in patterns if pattern is not None), None)

    def checked(self, given: Given) -> Match:
        """The conditions, if there are any for ``case_sensitive`` to be about."""
        if self.case_sensitive is not None and not self._texts() and not given.failed:
            given.fault("case_sensitive", "is about texts, and no condition here has one")
        return self

    def _texts(self) -> bool:
        named = (test for tests in (self.body, self.headers) for _, test in tests)
        return any(self.text(where, how) for where in WHERE for how in HOW) or any(
            test.contains or test.regex for test in named
        )
