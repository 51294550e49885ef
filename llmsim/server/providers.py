"""Whose error a path gets that no handler answered: unknown paths, methods, bodies too large."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TypeAlias

from llmsim.dialects import openai
from llmsim.errors import Failure
from llmsim.exchange import Headers, Stamp
from llmsim.shared.journal import MARK_DIGITS

Header: TypeAlias = Callable[[str], str | None]
Spelling: TypeAlias = Callable[[Failure, Stamp], tuple[int, Headers, bytes]]

# By the beginning of the path; whatever is under none of these is OpenAI's.
PREFIXES: dict[str, Spelling] = {}
# By a request header that only one provider's clients send, on the paths that providers share.
SHARED = "/v1/models"
HEADERS: dict[str, Spelling] = {}


def refusal(failure: Failure, path: str, header: Header) -> tuple[int, Headers, bytes]:
    """Status, head and body of a failure, in the words of the provider whose path it is."""
    stamp = Stamp(secrets.token_hex(MARK_DIGITS // 2), 0)
    return _spelling(path, header)(failure, stamp)


def _spelling(path: str, header: Header) -> Spelling:
    for prefix, spelling in PREFIXES.items():
        if path.startswith(prefix):
            return spelling
    if path.startswith(SHARED):
        for name, spelling in HEADERS.items():
            if header(name) is not None:
                return spelling
    return openai.refusal
