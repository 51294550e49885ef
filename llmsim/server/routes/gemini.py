"""Gemini's paths: ``…/models/NAME:VERB``."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from starlette.convertors import Convertor, register_url_convertor

from llmsim.core import Codec
from llmsim.providers.gemini import errors
from llmsim.providers.gemini.count_tokens import GeminiCount
from llmsim.providers.gemini.embeddings import GeminiEmbed
from llmsim.providers.gemini.errors import VERBS, Verb
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.server.handler import Endpoint
from llmsim.server.router import PatternRoute, Router
from llmsim.server.services import Services
from llmsim.transport.port import Port

PREFIXES = ("/v1beta", "/v1", "/gemini/v1beta", "/gemini/v1")
COLLECTIONS = ("models", "tunedModels")
REMEMBERED = 4096


class GeminiCall(NamedTuple):
    """What a path says of a call."""

    version: str
    model: str
    verb: Verb


# The dialect for a call of each verb, told whether a stream is to be one of events.
DIALECTS: dict[Verb, Callable[[GeminiCall, bool], Codec]] = {
    "generateContent": lambda call, events: Gemini(call.model, version=call.version),
    "streamGenerateContent": lambda call, events: Gemini(
        call.model, stream=True, events=events, version=call.version
    ),
    "countTokens": lambda call, events: GeminiCount(call.model, call.version),
    "embedContent": lambda call, events: GeminiEmbed(call.model, False, call.version),
    "batchEmbedContents": lambda call, events: GeminiEmbed(call.model, True, call.version),
}
_CALL = re.compile(
    rf"(?:/gemini)?/(?P<version>v1|v1beta)/(?P<name>(?:{'|'.join(COLLECTIONS)})/.+)"
    rf":(?P<verb>{'|'.join(VERBS)})",
    re.DOTALL,
)


class _Name(Convertor[str]):
    """``NAME:VERB`` in one of Starlette's paths."""

    regex = f".+:(?:{'|'.join(VERBS)})"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("gemini_call", _Name())


@lru_cache(maxsize=REMEMBERED)
def gemini_call(path: str) -> GeminiCall | None:
    """The call a path stands for; None if it is none. ``path`` may be percent-encoded."""
    found = _CALL.fullmatch(unquote(path) if "%" in path else path)
    if found is None:
        return None
    verb = next(verb for verb in VERBS if verb == found["verb"])
    return GeminiCall(found["version"], errors.bare(found["name"]), verb)


@lru_cache(maxsize=REMEMBERED)
def endpoint(call: GeminiCall, events: bool) -> Endpoint:
    """What answers a call, with events if it streams."""
    return Endpoint(f"/v1beta/models:{call.verb}", DIALECTS[call.verb](call, events))


def add(paths: Router, context: Services) -> None:
    """Every verb under every prefix."""
    answer = context.handler.answer

    def handle(port: Port) -> Awaitable[None]:
        call = gemini_call(port.path)
        assert call is not None  # it was claimed
        return answer(port, endpoint(call, "alt=sse" in port.query))

    for prefix in PREFIXES:
        for collection in COLLECTIONS:
            template = f"{prefix}/{collection}/{{name:gemini_call}}"
            paths.patterns.append(PatternRoute("POST", template, _matches, handle))


def _matches(path: str) -> bool:
    return gemini_call(path) is not None
