"""Moderation without a model: a message is of a category if it holds one of its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from zlib import crc32

from llmsim.core import Message, Verdict
from llmsim.engine.seeds import fraction

WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "harassment": ("idiot", "moron", "kill", "hurt you"),
        "harassment/threatening": ("kill", "hurt you"),
        "hate": ("subhuman", "vermin"),
        "hate/threatening": ("exterminate",),
        "illicit": ("shoplift", "counterfeit", "launder money", "bomb"),
        "illicit/violent": ("bomb", "explosives"),
        "self-harm": ("suicide", "kill myself", "cut myself", "overdose"),
        "self-harm/intent": ("kill myself", "end my life"),
        "self-harm/instructions": ("how to overdose",),
        "sexual": ("porn", "erotic"),
        "sexual/minors": ("underage porn",),
        "violence": ("kill", "murder", "stab", "shoot", "bomb"),
        "violence/graphic": ("gore", "bloodbath"),
    }
)
"""Every category of OpenAI's moderation guide, and the words that flag it: whole words, in any
case."""

# A flagged category's score begins here; that of any other stays far below.
FLAGGED = 0.8
CLEAR = 0.002

_PATTERNS = {
    category: re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)
    for category, words in WORDS.items()
}


def verdict(message: Message) -> Verdict:
    """The verdict on a message, the same for equal ones. Of pictures only the size is known, so
    they never flag anything."""
    seed = crc32(message.text.encode(errors="replace")) ^ message.mark
    flagged = frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(message.text))
    scores = {
        name: FLAGGED + (1 - FLAGGED) * share if name in flagged else CLEAR * share**4
        for name, share in ((name, fraction(seed, index)) for index, name in enumerate(WORDS))
    }
    return Verdict(scores, flagged)
