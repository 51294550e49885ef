"""Gemini's paths: ``…/models/NAME:VERB``."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from starlette.convertors import Convertor, register_url_convertor

from llmsim.dialects import gemini_envelope
from llmsim.dialects.gemini import Gemini
from llmsim.dialects.gemini_count import GeminiCount
from llmsim.dialects.gemini_embeddings import GeminiEmbed
from llmsim.dialects.gemini_envelope import VERBS, Verb
from llmsim.exchange import Dialect
from llmsim.server.answering import Endpoint
from llmsim.server.context import Context
from llmsim.server.ports import Port
from llmsim.server.routes.paths import Named, Paths

PREFIXES = ("/v1beta", "/v1", "/gemini/v1beta", "/gemini/v1")
COLLECTIONS = ("models", "tunedModels")
REMEMBERED = 4096


class Called(NamedTuple):
    """What a path says of a call."""

    version: str
    model: str
    verb: Verb


# The dialect for a call of each verb, told whether a stream is to be one of events.
DIALECTS: dict[Verb, Callable[[Called, bool], Dialect]] = {
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
def called(path: str) -> Called | None:
    """The call a path stands for; None if it is none. ``path`` may be percent-encoded."""
    found = _CALL.fullmatch(unquote(path) if "%" in path else path)
    if found is None:
        return None
    verb = next(verb for verb in VERBS if verb == found["verb"])
    return Called(found["version"], gemini_envelope.bare(found["name"]), verb)


@lru_cache(maxsize=REMEMBERED)
def endpoint(call: Called, events: bool) -> Endpoint:
    """What answers a call, with events if it streams."""
    return Endpoint(f"/v1beta/models:{call.verb}", DIALECTS[call.verb](call, events))


def add(paths: Paths, context: Context) -> None:
    """Every verb under every prefix."""
    answer = context.answering.answer

    def handle(port: Port) -> Awaitable[None]:
        call = called(port.path)
        assert call is not None  # it was claimed
        return answer(port, endpoint(call, "alt=sse" in port.query))

    for prefix in PREFIXES:
        for collection in COLLECTIONS:
            template = f"{prefix}/{collection}/{{name:gemini_call}}"
            paths.named.append(Named("POST", template, _claims, handle))


def _claims(path: str) -> bool:
    return called(path) is not None
