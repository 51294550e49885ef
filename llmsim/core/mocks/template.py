"""Texts with places for values of the request: ``You text {{ last_user_message }}``.

Between the braces stands one name and nothing else: there are no expressions, so a template can
compute nothing and loops nowhere. What is put in is not looked through for further places. A text
in quotes stands for itself: ``{{ "{{" }}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from llmsim.core.mocks import body_path
from llmsim.core.spelling import did_you_mean

NAMES: Final = (
    "last_user_message",
    "system",
    "tool_result",
    "model",
    "endpoint",
    "dialect",
    "turn",
    "seed",
    "count",
)
"""What stands for itself."""
KEYED: Final = ("body", "headers", "match")
"""What needs a path, a header's name or a group's number or name after a dot."""
VALID: Final = ", ".join((*NAMES, "body.PATH", "headers.NAME", "match.GROUP"))

# Bounded, so that a text of nothing but braces takes no longer than another.
_PLACE: Final = re.compile(
    r"""\{\{(\s{0,20}(?:"[^"]{0,200}"|'[^']{0,200}')\s{0,20}|[^{}]{0,500})\}\}"""
)
_QUOTED: Final = re.compile(r"""(["'])(.*)\1""", re.DOTALL)
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_GROUP: Final = re.compile(r"\d{1,3}|[A-Za-z_]\w{0,63}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place for one value: its name, and what follows the name's dot."""

    name: str
    of: str = ""


TemplatePart: TypeAlias = str | Placeholder


@lru_cache(maxsize=4096)
def parsed(text: str) -> tuple[TemplatePart, ...]:
    """The text's parts. Raises ValueError with the reason for a place nothing can be put in."""
    parts: list[TemplatePart] = []
    end = 0
    for place in _PLACE.finditer(text):
        parts += [text[end : place.start()], _value(place[1].strip())]
        end = place.end()
    parts.append(text[end:])
    return tuple(part for part in parts if part != "")


def _value(text: str) -> TemplatePart:
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        return quoted[2]
    if text in NAMES:
        return Placeholder(text)
    for name in KEYED:
        after = text.removeprefix(name)
        if after != text and after[:1] in (".", "["):
            return _keyed(name, after.removeprefix("."), text)
    hint = did_you_mean(text.partition(".")[0], (*NAMES, *KEYED))
    message = f"{{{{ {text[:60]} }}}} is no value{hint}; valid are {VALID}"
    raise ValueError(f'{message}; write {{{{ "…" }}}} for braces that stand for themselves')


def _keyed(name: str, of: str, text: str) -> Placeholder:
    fits = True
    if name == "body":
        try:
            body_path.parsed(of)
        except ValueError:
            fits = False
    else:
        fits = (_HEADER if name == "headers" else _GROUP).fullmatch(of) is not None
    if not fits:
        raise ValueError(f"{{{{ {text[:60]} }}}} has no {_WANTED[name]} after {name}")
    return Placeholder(name, of.lower() if name == "headers" else of)


_WANTED: Final = {
    "body": body_path.VALID.removeprefix("a "),
    "headers": "header's name",
    "match": "group's number or name",
}


def values(text: str) -> tuple[Placeholder, ...]:
    """The places of a text that is a template."""
    return tuple(part for part in parsed(text) if isinstance(part, Placeholder))
