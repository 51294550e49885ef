"""The texts that answers are made of: exact to the token, the same for the same seed."""

from __future__ import annotations

from typing import Literal

from llmsim.core import Request
from llmsim.core.catalog.models import resolve
from llmsim.engine.text import Brief, pool
from llmsim.engine.tokens.tokenizer import tokenizer


def lorem(tokens: int, seed: int = 0, model: str = "gpt-4o") -> str:
    """So many tokens of lorem ipsum, as ``response.generator: lorem`` answers."""
    return _text("lorem", tokens, seed, model)


def random(tokens: int, seed: int = 0, model: str = "gpt-4o") -> str:
    """So many tokens of English words in no order, as ``response.generator: random`` answers."""
    return _text("random", tokens, seed, model)


def _text(kind: Literal["lorem", "random"], tokens: int, seed: int, model: str) -> str:
    if tokens < 0:
        raise ValueError(f"tokens must be 0 or more, not {tokens}")
    encoding = tokenizer(resolve(model).encoding)
    brief = Brief(Request(model, ()), seed, 0, tokens, tokens, encoding, False)
    text, _ = pool(kind).generate(brief)
    return str(text.text)
