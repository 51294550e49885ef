"""Reads regular expressions: ECMA-262 syntax, and Python's where the two do not clash."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmsim.engine.schema import charsets
from llmsim.engine.schema.charsets import Set
from llmsim.engine.schema.regex import (
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

DEEPEST = 50
MOST_REPEATS = 1000

_SETS = {"d": charsets.DIGITS, "w": charsets.WORD, "s": charsets.SPACES}
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00, "a": 0x07}
_LOOKS = {"=": (True, True), "!": (True, False), "<=": (False, True), "<!": (False, False)}


def single(point: int) -> Set:
    return ((point, point),)


def parse(pattern: str) -> Node:
    """The tree of a regular expression. Raises ValueError saying what is wrong."""
    parser = Parser(pattern)
    node = parser.options()
    if parser.rest():
        raise ValueError("unbalanced parenthesis")
    return node


@dataclass(slots=True)
class Parser:
    """A recursive descent over one pattern; ``at`` is the next character."""

    pattern: str
    at: int = 0
    depth: int = 0
    groups: int = 0
    names: dict[str, int] = field(default_factory=dict)

    def rest(self) -> str:
        return self.pattern[self.at :]

    def taken(self, text: str) -> bool:
        """Whether ``text`` comes next; if so it is consumed."""
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def next(self) -> str:
        if self.at >= len(self.pattern):
            raise ValueError("ends in the middle")
        self.at += 1
        return self.pattern[self.at - 1]

    def until(self, end: str) -> str:
        """The text before ``end``, which is consumed too."""
        stop = self.pattern.find(end, self.at)
        if stop < 0:
            raise ValueError(f"'{end}' is missing")
        text, self.at = self.pattern[self.at : stop], stop + len(end)
        return text

    def options(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")
        options = [self.sequence()]
        while self.taken("|"):
            options.append(self.sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else Options(tuple(options))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            part = self.atom()
            while (counts := self.quantifier()) is not None:
                if isinstance(part, Edge):
                    raise ValueError("nothing to repeat")
                part = Repeat(part, *counts)
            parts.append(part)
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def quantifier(self) -> tuple[int, int | None] | None:
        start, counts = self.at, None
        if self.taken("*"):
            counts = (0, None)
        elif self.taken("+"):
            counts = (1, None)
        elif self.taken("?"):
            counts = (0, 1)
        elif self.taken("{"):
            counts = self.counts()
        if counts is None:
            self.at = start
            return None
        if not self.taken("?"):  # lazy and possessive forms match the same strings or fewer
            self.taken("+")
        return counts

    def counts(self) -> tuple[int, int | None] | None:
        """``n}``, ``n,}`` or ``n,m}``; None if the brace is an ordinary character."""
        stop = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at : max(stop, self.at)].partition(",")
        if stop < 0 or not low.isdecimal() or (high and not high.isdecimal()):
            return None
        self.at = stop + 1
        least = int(low[:9])
        most = (int(high[:9]) if high else None) if comma else least
        if most is not None and most < least:
            raise ValueError(f"{{{low},{high}}} is out of order")
        if least > MOST_REPEATS:
            raise ValueError(f"repeats more than {MOST_REPEATS} times")
        return least, most

    def atom(self) -> Node:
        char = self.next()
        if char == "(":
            return self.group()
        if char == "[":
            return Char(self.char_class())
        if char == "\\":
            return self.escape()
        if char == ".":
            return Char(charsets.complement(charsets.LINE_ENDS))
        if char in "^$":
            return Edge(char)
        if char in "*+?":
            raise ValueError("nothing to repeat")
        return Char(single(ord(char)))

    def group(self) -> Node:
        if self.taken("?"):
            return self.special_group()
        return self.capture()

    def capture(self, name: str = "") -> Node:
        self.groups += 1
        number = self.groups
        if name:
            self.names[name] = number
        return Group(number, self.closed())

    def closed(self) -> Node:
        node = self.options()
        if not self.taken(")"):
            raise ValueError("a parenthesis is not closed")
        return node

    def special_group(self) -> Node:
        if self.taken("#"):
            self.until(")")
            return EMPTY
        for mark, (ahead, wanted) in _LOOKS.items():
            if self.taken(mark):
                return Look(self.closed(), ahead, wanted)
        if self.taken("P=") or self.taken("P>"):
            return self.named_again(self.until(")"))
        if self.taken("P<") or self.taken("<"):
            return self.capture(self.until(">"))
        if self.taken(">"):
            return self.closed()
        flags = self.rest().partition(":")[0].partition(")")[0]
        if set(flags) <= set("ims-"):  # these only ever allow more than the plain letters do
            self.at += len(flags)
            if self.taken(")"):
                return EMPTY
            self.at += 1
            return self.closed()
        raise ValueError(f"(?{flags[:8]} is not supported")

    def named_again(self, name: str) -> Node:
        if name not in self.names:
            raise ValueError(f"no group is named '{name[:40]}'")
        return Again(self.names[name])

    def escape(self) -> Node:
        char = self.next()
        if char in "bB":
            return Edge(char)
        if char == "k" and self.taken("<"):
            return self.named_again(self.until(">"))
        if char in "123456789":
            while self.at < len(self.pattern) and self.pattern[self.at].isdecimal():
                char += self.next()
            if int(char[:9]) > self.groups:
                raise ValueError(f"there is no group {char[:9]}")
            return Again(int(char))
        return Char(self.escaped(char))

    def escaped(self, char: str) -> Set:
        """The characters meant by a backslash and ``char``, inside a class or outside."""
        if char.lower() in _SETS:
            chars = _SETS[char.lower()]
            return chars if char.islower() else charsets.complement(chars)
        if char in _CONTROLS:
            return single(_CONTROLS[char])
        if char in "pP":
            return self.unicode_property(char == "P")
        if char == "c":
            return single(ord(self.next()) % 32)
        if char == "x":
            return single(self.hexadecimal(2))
        if char == "u":
            return single(self.code_point())
        return single(ord(char))

    def unicode_property(self, negated: bool) -> Set:
        name = self.until("}") if self.taken("{") else self.next()
        chars = charsets.unicode_property(name.removeprefix("^"))
        if chars is None:
            raise ValueError(f"the character property '{name[:40]}' is not known")
        return charsets.complement(chars) if negated != name.startswith("^") else chars

    def hexadecimal(self, digits: int) -> int:
        text = self.pattern[self.at : self.at + digits]
        self.at += digits
        return int(text, 16)

    def code_point(self) -> int:
        if self.taken("{"):
            return min(int(self.until("}")[:9], 16), charsets.LAST)
        point = self.hexadecimal(4)
        if 0xD800 <= point < 0xDC00 and self.taken("\\u"):
            return 0x10000 + ((point - 0xD800) << 10) + (self.hexadecimal(4) - 0xDC00)
        return point

    def char_class(self) -> Set:
        negated = self.taken("^")
        sets: list[Set] = []
        while not self.taken("]"):
            low = self.class_member()
            hyphen = self.pattern[self.at : self.at + 2]
            if hyphen[:1] == "-" and hyphen != "-]":
                self.at += 1
                sets.append(self.span(low, self.class_member()))
            else:
                sets.append(low)
        chars = charsets.union(*sets)
        return charsets.complement(chars) if negated else chars

    def span(self, low: Set, high: Set) -> Set:
        """``a-z``; a set at either end makes the hyphen a character like any other."""
        first, last = low[0][0], high[-1][1]
        if len(low) > 1 or len(high) > 1 or low[0][1] != first or high[0][0] != last:
            return charsets.union(low, single(ord("-")), high)
        if first > last:
            raise ValueError(f"the range {chr(first)}-{chr(last)} is out of order")
        return ((first, last),)

    def class_member(self) -> Set:
        char = self.next()
        if char != "\\":
            return single(ord(char))
        char = self.next()
        return single(0x08) if char == "b" else self.escaped(char)
