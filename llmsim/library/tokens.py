"""Tokens counted as a model's provider counts them: ``llmsim.count_tokens``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from llmsim.core.catalog.models import resolve
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.library.answers import endpoint_of


def count_tokens(
    text: str | Mapping[str, Any], model: str = "gpt-4o", *, dialect: str = "openai_chat"
) -> int:
    """How many tokens a text is for a model, or how many prompt tokens a whole request has: the
    body that ``dialect`` has, which says its model itself.

    The first count of an encoding builds its tokenizer, which takes up to 0.3 s. Raises ValueError
    for a dialect that does not exist, and BadRequest for a body that it would refuse.
    """
    if isinstance(text, str):
        return tokenizer(resolve(model).encoding).count(text)
    request = endpoint_of(dialect).codec.decode(orjson.dumps(text))
    return prompt.tokens(request, tokenizer(resolve(request.model).encoding))
