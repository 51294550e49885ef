"""Reads regular expressions: ECMA-262 syntax, and Python's where the two do not clash."""

from __future__ import annotations

from llmsim.engine.schema.regex import charsets, classes
from llmsim.engine.schema.regex.scanner import Scanner
from llmsim.engine.schema.regex.tree import (
    EMPTY,
    Again,
    Char,
    Edge,
    Group,
    Look,
    Node,
    Options,
    Repeat,
    Sequence,
)

LONGEST = 10_000
DEEPEST = 50
MOST_REPEATS = 1000

_LOOKS = {"=": (True, True), "!": (True, False), "<=": (False, True), "<!": (False, False)}
_COUNTS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


def parse(pattern: str) -> Node:
    """The tree of a regular expression. Raises ValueError saying what is wrong."""
    if len(pattern) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    parser = Parser(Scanner(pattern))
    node = parser.options()
    if parser.text.rest():
        raise ValueError("a parenthesis is not opened")
    return node


class Parser:
    """A recursive descent over one pattern."""

    def __init__(self, text: Scanner) -> None:
        self.text = text
        self._depth = 0
        self._groups = 0
        self._names: dict[str, int] = {}

    def options(self) -> Node:
        """Everything up to the end or the parenthesis that closes this group."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
        options = [self._sequence()]
        while self.text.taken("|"):
            options.append(self._sequence())
        self._depth -= 1
        return options[0] if len(options) == 1 else Options(tuple(options))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self.text.peek() not in {"", "|", ")"}:
            part = self._atom()
            if (counts := self._quantifier()) is not None:
                if isinstance(part, Edge) or self._quantifier() is not None:
                    raise ValueError("there is nothing to repeat")
                part = Repeat(part, *counts)
            parts.append(part)
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _quantifier(self) -> tuple[int, int | None] | None:
        sign = self.text.peek()
        counts = self._braced() if sign == "{" else _COUNTS.get(sign)
        if counts is None:
            return None
        if sign != "{":
            self.text.next()
        if not self.text.taken("?"):  # lazy and possessive forms match the same strings or fewer
            self.text.taken("+")
        return counts

    def _braced(self) -> tuple[int, int | None] | None:
        """``{n}``, ``{n,}`` or ``{n,m}``; None if the brace is an ordinary character."""
        inside, closed, _ = self.text.rest()[1:].partition("}")
        low, comma, high = inside.partition(",")
        if not closed or not low.isdecimal() or (high and not high.isdecimal()):
            return None
        self.text.at += len(inside) + 2
        least = int(low[:9])
        most = (int(high[:9]) if high else None) if comma else least
        if most is not None and most < least:
            raise ValueError(f"{{{inside}}} is out of order")
        if least > MOST_REPEATS:
            raise ValueError(f"it repeats more than {MOST_REPEATS} times")
        return least, most

    def _atom(self) -> Node:
        char = self.text.next()
        if char == "(":
            return self._special_group() if self.text.taken("?") else self._capture()
        if char == "\\":
            return self._escape()
        if char in "^$":
            return Edge(char)
        if char in "*+?":
            raise ValueError("there is nothing to repeat")
        if char == "[":
            return Char(classes.bracketed(self.text))
        dot = charsets.complement(charsets.LINE_ENDS)
        return Char(dot if char == "." else charsets.single(ord(char)))

    def _capture(self, name: str = "") -> Node:
        self._groups += 1
        number = self._groups
        if name:
            self._names[name] = number
        return Group(number, self._closed())

    def _closed(self) -> Node:
        node = self.options()
        if not self.text.taken(")"):
            raise ValueError("a parenthesis is not closed")
        return node

    def _special_group(self) -> Node:
        text = self.text
        for mark, (ahead, wanted) in _LOOKS.items():
            if text.taken(mark):
                return Look(self._closed(), ahead, wanted)
        if text.taken("P=") or text.taken("P>"):
            return self._named_again(text.until(")"))
        if text.taken("P<") or text.taken("<"):
            return self._capture(text.until(">"))
        return self._closed() if text.taken(">") else self._unmarked_group()

    def _unmarked_group(self) -> Node:
        """``(?#…)``, ``(?:…)``, ``(?i)`` or ``(?i:…)``."""
        if self.text.taken("#"):
            self.text.until(")")
            return EMPTY
        flags = self.text.rest().partition(":")[0].partition(")")[0]
        if not set(flags) <= set("ims-"):  # these only ever allow more than the plain letters do
            raise ValueError(f"(?{flags[:8]} is not supported")
        self.text.at += len(flags)
        if self.text.taken(")"):
            return EMPTY
        self.text.next()
        return self._closed()

    def _named_again(self, name: str) -> Node:
        if name not in self._names:
            raise ValueError(f"no group is named '{name[:40]}'")
        return Again(self._names[name])

    def _escape(self) -> Node:
        char = self.text.next()
        if char in "bB":
            return Edge(char)
        if char == "k" and self.text.taken("<"):
            return self._named_again(self.text.until(">"))
        if char in "123456789":
            return self._numbered_again(char)
        return Char(classes.escaped(self.text, char))

    def _numbered_again(self, digits: str) -> Node:
        while self.text.peek().isdecimal():
            digits += self.text.next()
        if int(digits[:9]) > self._groups:
            raise ValueError(f"there is no group {digits[:9]}")
        return Again(int(digits))
