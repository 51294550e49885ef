"""Gemini as a provider."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from llmsim.core import Codec
from llmsim.providers.gemini import auth, errors, limits, model_list
from llmsim.providers.gemini.calls import REMEMBERED, GeminiCall, gemini_call
from llmsim.providers.gemini.count_tokens import GeminiCount
from llmsim.providers.gemini.embeddings import GeminiEmbed
from llmsim.providers.gemini.errors import VERBS
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.provider import (
    Claims,
    Endpoint,
    EndpointPattern,
    ModelListing,
    Provider,
    ProviderAuth,
)


def endpoints(strict: bool) -> list[Endpoint]:
    """For bodies that name their model themselves; all paths have it in them."""
    streaming = _endpoint(GeminiCall("v1beta", None, "streamGenerateContent"), True, strict)
    plain = _endpoint(GeminiCall("v1beta", None, "generateContent"), True, strict)
    return [
        replace(plain, streaming=streaming),
        _endpoint(GeminiCall("v1beta", None, "countTokens"), True, strict),
        _endpoint(GeminiCall("v1beta", None, "embedContent"), True, strict),
    ]


@lru_cache(maxsize=REMEMBERED)
def _endpoint(call: GeminiCall, events: bool, strict: bool) -> Endpoint:
    """What answers a call, with events if it streams."""
    array = call.verb == "streamGenerateContent" and not events
    return GEMINI.endpoint(
        f"/v1beta/models:{call.verb}",
        _codec(call, events, strict),
        errors=errors.error_format(call.version, call.verb, array),
        headers=errors.head if array else errors.event_head,
    )


def _codec(call: GeminiCall, events: bool, strict: bool) -> Codec:
    match call.verb:
        case "generateContent":
            return Gemini(call.model, version=call.version, strict=strict)
        case "streamGenerateContent":
            return Gemini(call.model, True, events, call.version, strict)
        case "countTokens":
            return GeminiCount(call.model, strict)
        case "embedContent":
            return GeminiEmbed(call.model, strict=strict)
        case "batchEmbedContents":
            return GeminiEmbed(call.model, batch=True, strict=strict)


def _matches(path: str) -> bool:
    return gemini_call(path) is not None


def _named(path: str, query: str, strict: bool = False) -> Endpoint:
    call = gemini_call(path)
    assert call is not None  # it matched
    return _endpoint(call, "alt=sse" in query, strict)


GEMINI = Provider(
    name="gemini",
    claims=Claims(
        prefixes=(
            "/gemini/",
            "/upload/",
            "/v1alpha/",
            "/v1beta/",
            "/v1/cachedContents",
            "/v1/interactions",
            "/v1/tunedModels/",
        ),
        verbs=VERBS,
        headers=("x-goog-api-key",),
        parameters=("key",),
    ),
    auth=ProviderAuth(auth.key, auth.refusal, auth.HEADERS, auth.PARAMETERS),
    errors=errors.error_format(),
    headers=errors.head,
    limit_headers=limits.headers,
    endpoints=endpoints,
    pattern=EndpointPattern(_matches, _named),
    models=ModelListing(
        tuple(
            f"{prefix}/{version}/models"
            for prefix in ("", "/gemini")
            for version in ("v1", "v1alpha", "v1beta")
        ),
        model_list.page,
        model_list.model,
        errors.headers,
        vendor="google",
    ),
)
