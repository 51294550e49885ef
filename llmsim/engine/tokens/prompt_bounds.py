"""How long a prompt is at least, without tokenising it.

A prompt that is far too long for its model is refused all the same: nobody needs its exact length,
which takes a second for every few million characters.
"""

from __future__ import annotations

from typing import Final

from llmsim.core import Complete, Count, Embed, Message, Request
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import LONGEST, Tokenizer

WIDEST: Final = {"o200k_base": 26, "cl100k_base": 41}
"""The most characters of one token, by encoding, that are neither white space nor signs of ASCII:
``abcdefghijklmnopqrstuvwxyz`` and ``.translatesAutoresizingMaskIntoConstraints``."""

SAMPLE: Final = 16_384
"""Characters that are tokenised to estimate how long a prompt is that is too long."""

# What WIDEST does not count: signs, white space, and all bytes of a character but its first.
_UNCOUNTED: Final = bytes(
    byte for byte in range(256) if (byte < 0x80 and not chr(byte).isalnum()) or 0x80 <= byte < 0xC0
)
_STEP: Final = 1 << 17  # characters looked at before other threads get their turn


def limit(request: Request, window: int) -> int:
    """The number of prompt tokens beyond which the request is refused; 0 if there is none.

    ``window`` is the model's context window in tokens, 0 if that is unknown.
    """
    match request.task:
        case None:
            return window
        case Embed(most=most) if most is not None:
            return most
        case Embed() | Complete():
            return window * len(request.messages)
        case _:
            return 0


def tokens(request: Request, tokenizer: Tokenizer, limit: int) -> int:
    """The prompt's tokens; an estimate that is higher than ``limit`` where they certainly are."""
    if not limit or least(request, tokenizer, limit) <= limit:
        return prompt.tokens(request, tokenizer)
    return max(limit + 1, _estimate(request, tokenizer))


def alone(message: Message, tokenizer: Tokenizer, limit: int) -> int:
    """The same for a message that stands by itself."""
    if not limit or least_of(message.text, tokenizer, limit) <= limit:
        return prompt.alone(message, tokenizer)
    return max(limit + 1, _estimated(message.text[:SAMPLE], len(message.text), tokenizer))


def least(request: Request, tokenizer: Tokenizer, enough: int) -> int:
    """A number of tokens that the prompt has at least. It is not looked at further once that is
    more than ``enough``."""
    total = _overhead(request)
    for message in request.messages:
        if total > enough:
            break
        total += len(message.tokens) + least_of(message.text, tokenizer, enough - total)
    return total


def least_of(text: str, tokenizer: Tokenizer, enough: int) -> int:
    """The same for one text."""
    widest = WIDEST[tokenizer.name]
    counted = 0
    for start in range(0, len(text), _STEP):
        part = text[start : start + _STEP].encode(errors="replace")
        counted += len(part.translate(None, _UNCOUNTED))
        if counted > enough * widest:
            break
    return max(-(-counted // widest), -(-len(text) // LONGEST))


def _overhead(request: Request) -> int:
    """What comes on top of texts, by the rule of :func:`prompt.tokens`."""
    if request.task is None or type(request.task) is Count:
        return prompt.PRIMING + (prompt.PER_MESSAGE + 1) * len(request.messages)
    return 0


def _estimate(request: Request, tokenizer: Tokenizer) -> int:
    """The prompt's tokens if its texts go on as they begin."""
    characters = sum(len(message.text) for message in request.messages)
    ids = sum(len(message.tokens) for message in request.messages)
    return (
        _overhead(request) + ids + _estimated(_beginning(request.messages), characters, tokenizer)
    )


def _estimated(sample: str, characters: int, tokenizer: Tokenizer) -> int:
    return tokenizer.count(sample) * characters // max(1, len(sample))


def _beginning(messages: tuple[Message, ...]) -> str:
    """The texts up to :data:`SAMPLE` characters."""
    texts: list[str] = []
    left = SAMPLE
    for message in messages:
        texts.append(message.text[:left])
        left -= len(message.text)
        if left <= 0:
            break
    return "".join(texts)
