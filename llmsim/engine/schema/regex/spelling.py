"""Writes trees back as regular expressions that every engine reads alike.

JavaScript without its ``u`` flag, and Python, forgive what a strict reader does not: ``a{``,
``[\\w-.]``. A tree has no such doubts in it.
"""

from __future__ import annotations

from llmsim.engine.schema.regex.charsets import Set
from llmsim.engine.schema.regex.tree import (
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

_LOOKS = {
    (True, True): "?=",
    (True, False): "?!",
    (False, True): "?<=",
    (False, False): "?<!",
}


def spelled(node: Node) -> str:
    """The tree as a regular expression."""
    match node:
        case Char(chars):
            text = _class(chars)
        case Sequence(parts):
            text = "".join(map(spelled, parts))
        case Options(options):
            text = f"(?:{'|'.join(map(spelled, options))})"
        case Repeat(part, low, high):
            counts = f"{low}," if high is None else f"{low},{high}"
            text = f"(?:{spelled(part)}){{{counts}}}"
        case Group(_, part):
            text = f"({spelled(part)})"
        case Again(number):
            text = f"(?:\\{number})"
        case Edge(kind):
            text = kind if kind in "^$" else f"\\{kind}"
        case Look(part, ahead, wanted):
            text = f"({_LOOKS[ahead, wanted]}{spelled(part)})"
    return text


def _class(chars: Set) -> str:
    ranges = (f"\\u{{{low:x}}}-\\u{{{high:x}}}" for low, high in chars)
    return f"[{''.join(ranges)}]" if chars else "(?!)"
