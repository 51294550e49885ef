"""People's names, without a model of language: by the words around them, and from a list.

This finds names where somebody says that they are one, no others; who needs all gives a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import re2

from llmsim.recordings.anonymise.finding import Finder, Finding

APOSTROPHE: Final = r"['\x{2019}]"
NAME: Final = (
    rf"\p{{Lu}}(?:{APOSTROPHE}\p{{Lu}})?\p{{Ll}}+(?:(?:-|{APOSTROPHE})\p{{Lu}}?\p{{Ll}}+)?"
)
PARTICLES: Final = r"(?:(?:van|von|de|der|den|da|di|la|le|bin|al) ){0,2}"
FULL: Final = rf"({NAME}(?: (?:\p{{Lu}}\. )?{PARTICLES}{NAME}){{0,2}})"
SAID: Final = (
    r"my name is|my name's|i am called|call me|this is|name:|patient:?|customer:?|contact:?"
    r"|signed by|on behalf of|speaking with|written by|author:"
)
TITLES: Final = (
    r"Dear|Hello|Hi|Hey|Mr\.?|Mrs\.?|Ms\.?|Dr\.?|Prof\.?|Herr|Frau|Sir|Madam|Mme|Monsieur|Señora?"
)
ENDS: Final = (
    r"(?:kind |best |warm )?regards|sincerely(?: yours)?|yours (?:truly|faithfully)|cheers"
    r"|many thanks|thank you|viele grüße"
)
CUES: Final = (
    rf"(?:(?i:{SAID})) {FULL}",
    rf"\b(?:{TITLES}) {FULL}",
    rf"(?m)(?:(?i:{ENDS})),?[ ]?(?:\\n)?\s*[\x{2014}\x{2013}-]?\s*{FULL}\s*$",
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NO_NAMES: Final = _words(
    """All Everyone Everybody Team There Sir Madam Friend Friends World Customer Support Claude
    Gemini ChatGPT Assistant Copilot Google Microsoft Amazon Anthropic The This That Please Thank
    Thanks What When Where Why How Can Could Would Will Should Is Are Do Does I You We They He She
    It A An Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April
    May June July August September October November December Hello Hi Hey Dear Again Folks Guys
    Both Not My Your Our"""
)
"""What begins with a capital behind these words and is no name."""

_CUES = tuple(re2.compile(cue) for cue in CUES)


def finders(listed: tuple[str, ...], by_cue: bool) -> tuple[Finder, ...]:
    """What finds names: those of a list, and with ``by_cue`` those that their surroundings say."""
    found: list[Finder] = []
    if listed:
        longest_first = sorted(listed, key=len, reverse=True)
        words = "|".join(re2.escape(name) for name in longest_first)
        found.append(partial(_matching, re2.compile(rf"(?i)(?:^|[^\pL\d])({words})(?:[^\pL\d]|$)")))
    if by_cue:
        found.append(cued)
    return tuple(found)


def cued(text: str) -> Iterator[Finding]:
    """Names that the words around them introduce."""
    for cue in _CUES:
        for found in cue.finditer(text):
            name = found.group(1)
            if name.split()[0] not in NO_NAMES:
                yield Finding(found.start(1), found.end(1), "name")


def _matching(pattern: object, text: str) -> Iterator[Finding]:
    start = 0
    while True:  # names may share the character between them
        found = pattern.search(text, start)  # type: ignore[attr-defined]
        if found is None:
            return
        yield Finding(found.start(1), found.end(1), "name")
        start = found.end(1)
