"""Leaving out the beginning of a conversation that is too long for its model."""

from __future__ import annotations

from msgspec import structs

from llmsim.engine import prompt
from llmsim.engine.tokens import Tokenizer
from llmsim.exchange import Ask, Message


def truncated(ask: Ask, tokenizer: Tokenizer, window: int) -> Ask:
    """The request with as many of its latest messages as leave room for the answer.

    Instructions stay, and so does the last message, even if that alone is too long. ``window``
    is the model's context window in tokens.
    """
    excess = prompt.tokens(ask, tokenizer) + (ask.max_tokens or 1) - window
    if excess <= 0:
        return ask
    kept: list[Message] = []
    last = len(ask.messages) - 1
    for place, message in enumerate(ask.messages):
        if excess > 0 and place < last and message.role != "system":
            excess -= _tokens(ask, message, tokenizer)
        else:
            kept.append(message)
    return structs.replace(ask, messages=tuple(kept))


def _tokens(ask: Ask, message: Message, tokenizer: Tokenizer) -> int:
    alone = structs.replace(ask, messages=(message,), tools=(), format=None)
    return prompt.tokens(alone, tokenizer) - prompt.PRIMING
