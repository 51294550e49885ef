"""Vertex AI as a provider."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from llmsim.core import Codec
from llmsim.providers.gemini import errors as gemini_errors
from llmsim.providers.gemini import limits
from llmsim.providers.provider import (
    Claims,
    Endpoint,
    EndpointPattern,
    ModelListing,
    Provider,
    ProviderAuth,
)
from llmsim.providers.vertex import auth, errors, model_list
from llmsim.providers.vertex.calls import (
    ANTHROPIC,
    COUNT,
    GOOGLE,
    PREFIXES,
    REMEMBERED,
    VertexCall,
    vertex_call,
)

VERSION = "vertex-2023-10-16"
"""The version of Anthropic's API that bodies name."""


def endpoints(strict: bool) -> list[Endpoint]:
    """For bodies that name their model themselves; all paths have it in them."""
    generate = _google("generateContent", strict)
    return [
        replace(generate, streaming=_google("streamGenerateContent", strict)),
        _google("countTokens", strict),
        _google("embedContent", strict),
        _google("predict", strict),
        _endpoint(VertexCall(ANTHROPIC, None, "rawPredict"), True, strict),
        _endpoint(VertexCall(ANTHROPIC, COUNT, "rawPredict"), True, strict),
    ]


def _google(verb: str, strict: bool) -> Endpoint:
    return _endpoint(VertexCall(GOOGLE, None, verb), True, strict)


@lru_cache(maxsize=REMEMBERED)
def _endpoint(call: VertexCall, events: bool, strict: bool) -> Endpoint:
    """What answers a call, with events if it streams."""
    array = call.verb == "streamGenerateContent" and not events
    counts = f"/{COUNT}" if call.model == COUNT else ""
    if call.publisher == ANTHROPIC:
        headers = errors.claude_head
    else:
        headers = gemini_errors.head if array else gemini_errors.event_head
    return VERTEX.endpoint(
        f"/v1/publishers/{call.publisher}/models{counts}:{call.verb}",
        _codec(call, events, strict),
        errors=errors.error_format(call, array),
        headers=headers,
    )


def _codec(call: VertexCall, events: bool, strict: bool) -> Codec:  # noqa: PLR0911  one a verb
    # Imported when they are first asked for: a server whose clients use none of it starts sooner.
    from llmsim.providers.anthropic.hosted import HostedMessages  # noqa: PLC0415
    from llmsim.providers.vertex import codecs  # noqa: PLC0415

    model = call.model
    match call.verb:
        case "generateContent":
            return codecs.VertexGemini(model, version="v1", strict=strict)
        case "streamGenerateContent":
            return codecs.VertexGemini(model, True, events, "v1", strict)
        case "countTokens":
            return codecs.VertexCount(model, strict)
        case "embedContent" | "batchEmbedContents":
            return codecs.VertexEmbed(model, call.verb == "batchEmbedContents")
        case "predict":
            return codecs.VertexPredict(model)
        case _ if model == COUNT:
            return codecs.VertexClaudeCount()
        case _:
            stream = None if model is None else call.verb == "streamRawPredict"
            return HostedMessages("vertex_claude", VERSION, model, stream, strict)


def _matches(path: str) -> bool:
    return path.startswith(PREFIXES) and vertex_call(path) is not None


def _named(path: str, query: str, strict: bool = False) -> Endpoint:
    call = vertex_call(path)
    assert call is not None  # it matched
    return _endpoint(call, "alt=sse" in query, strict)


VERTEX = Provider(
    name="vertex",
    claims=Claims(prefixes=PREFIXES),
    auth=ProviderAuth(auth.key, auth.refusal, auth.HEADERS, auth.PARAMETERS),
    errors=errors.error_format(),
    headers=gemini_errors.head,
    limit_headers=limits.headers,
    endpoints=endpoints,
    pattern=EndpointPattern(_matches, _named),
    pattern_only=True,
    models=ModelListing(
        tuple(f"/{version}/publishers/google/models" for version in ("v1", "v1beta1")),
        model_list.page,
        model_list.model,
        gemini_errors.headers,
        vendor="google",
    ),
)
