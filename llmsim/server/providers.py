"""Whose API a request is for, where its path alone does not say so; and whose error it gets if no
handler answers it: unknown paths, methods, bodies too large."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Literal, TypeAlias

from llmsim.core import Headers, Stamp
from llmsim.core.errors import Failure
from llmsim.providers.anthropic import errors as anthropic_errors
from llmsim.providers.gemini import errors as gemini_errors
from llmsim.providers.openai import errors as openai_errors
from llmsim.state.shm.journal import MARK_DIGITS

Provider: TypeAlias = Literal["openai", "anthropic", "google"]
Header: TypeAlias = Callable[[str], str | None]
Spelling: TypeAlias = Callable[[Failure, Stamp], tuple[int, Headers, bytes]]

# By the beginning of the path; whatever is under none of these is OpenAI's.
PREFIXES: dict[str, Provider] = {
    "/anthropic/": "anthropic",
    "/v1/messages": "anthropic",
    "/v1/complete": "anthropic",
    "/v1/memory_stores": "anthropic",
    "/gemini/": "google",
    "/v1beta/": "google",
    "/v1/tunedModels/": "google",
}
# On the paths that providers share: by a header or a parameter of the query that only one
# provider's clients send.
SHARED = ("/v1/models", "/v1/files", "/v1/skills")
HEADERS: dict[str, Provider] = {
    "anthropic-version": "anthropic",
    "x-api-key": "anthropic",
    "x-goog-api-key": "google",
}
PARAMETERS: dict[str, Provider] = {"key": "google"}
SPELLINGS: dict[Provider, Spelling] = {
    "openai": openai_errors.refusal,
    "anthropic": anthropic_errors.refusal,
    "google": gemini_errors.refusal,
}


def provider(path: str, query: str, header: Header) -> Provider:
    """Whose API it is. ``query`` is what follows the question mark, still encoded.

    A path that begins with several slashes, as a base URL that ends in one makes it, is told as
    the path it was meant to be.
    """
    path = "/" + path.lstrip("/")
    for prefix, owner in PREFIXES.items():
        if path.startswith(prefix):
            return owner
    if path.startswith(SHARED):
        if path.rpartition(":")[2] in gemini_errors.VERBS:
            return "google"
        for name, owner in HEADERS.items():
            if header(name) is not None:
                return owner
        for name, owner in PARAMETERS.items():
            if f"&{name}=" in f"&{query}":
                return owner
    return "openai"


def refusal(failure: Failure, path: str, query: str, header: Header) -> tuple[int, Headers, bytes]:
    """Status, head and body of a failure, in the words of the provider whose path it is."""
    return SPELLINGS[provider(path, query, header)](failure, stamp())


def stamp() -> Stamp:
    """For answers that are not in the journal."""
    return Stamp(secrets.token_hex(MARK_DIGITS // 2), 0)
