"""Leaving out the beginning of a conversation that is too long for its model."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import Message, Request
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import Tokenizer


def truncated(request: Request, tokenizer: Tokenizer, window: int) -> Request:
    """The request with as many of its latest messages as leave room for the answer.

    Instructions stay, and so does the last message, even if that alone is too long. ``window``
    is the model's context window in tokens.
    """
    excess = prompt.tokens(request, tokenizer) + (request.max_tokens or 1) - window
    if excess <= 0:
        return request
    kept: list[Message] = []
    last = len(request.messages) - 1
    for index, message in enumerate(request.messages):
        if excess > 0 and index < last and message.role != "system":
            excess -= _tokens(request, message, tokenizer)
        else:
            kept.append(message)
    return structs.replace(request, messages=tuple(kept))


def _tokens(request: Request, message: Message, tokenizer: Tokenizer) -> int:
    alone = structs.replace(request, messages=(message,), tools=(), format=None)
    return prompt.tokens(alone, tokenizer) - prompt.PRIMING
