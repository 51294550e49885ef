"""A conversation as the tokens that a model reads: ChatML, in which the formula that prompts are
counted by (:mod:`llmsim.engine.tokens.prompt`) is exact.

A message is ``START role SEPARATOR text END``, its name ``:name`` after the role; the answer begins
with ``START assistant SEPARATOR``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from llmsim.core import Message
from llmsim.engine.tokens.tokenizer import Tokenizer

_FIRST = {"o200k_base": 200264, "cl100k_base": 100264}
_SPELLINGS = ("<|im_start|>", "<|im_end|>", "<|im_sep|>")
"""Tokens that follow one another from the first of an encoding on."""


def rendered(
    messages: Sequence[Message], tokenizer: Tokenizer, primed: bool = True, open_end: bool = False
) -> list[int]:
    """The token ids of a conversation: ``primed`` begins the answer, ``open_end`` leaves the last
    message to be written on. Pictures and sound have no tokens of their own here."""
    start = _FIRST[tokenizer.name]
    end, separator = start + 1, start + 2
    ids: list[int] = []
    for message in messages:
        ids += [start, *tokenizer.ids(message.role)]
        if message.name is not None:
            ids += tokenizer.ids(":") + tokenizer.ids(message.name)
        ids += [separator, *tokenizer.ids(message.text)]
        for call in message.calls:
            ids += [start, *tokenizer.ids(call.name), separator]
            ids += [*tokenizer.ids(call.arguments), end]
        ids.append(end)
    if open_end and ids:
        ids.pop()
    if primed:
        ids += [start, *tokenizer.ids("assistant"), separator]
    return ids


def text(ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """What token ids say, those of the template included. Raises ValueError for one that the
    encoding does not have."""
    special = _special(tokenizer)
    return "".join(
        "".join(special[one] for one in run) if templates else tokenizer.decode(list(run))
        for templates, run in groupby(ids, special.__contains__)
    )


def texts(ids: Sequence[int], tokenizer: Tokenizer) -> list[str]:
    """The same token by token; part of a character is U+FFFD. Raises ValueError."""
    return [text((one,), tokenizer) for one in ids]


def _special(tokenizer: Tokenizer) -> dict[int, str]:
    return dict(enumerate(_SPELLINGS, _FIRST[tokenizer.name]))
