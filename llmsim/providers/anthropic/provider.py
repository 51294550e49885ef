"""Anthropic as a provider."""

from __future__ import annotations

from llmsim.core import Codec
from llmsim.providers.anthropic import auth, errors, limits, model_list
from llmsim.providers.anthropic.messages import strict as messages_strict
from llmsim.providers.anthropic.messages.codec import Anthropic, AnthropicBatch, AnthropicCount
from llmsim.providers.provider import (
    Claims,
    Endpoint,
    ModelListing,
    Provider,
    ProviderAuth,
    RequestHeader,
)

PREFIXES = ("/v1", "/anthropic/v1")
MESSAGES = "/v1/messages"


def endpoints(strict: bool) -> list[Endpoint]:
    """Messages, their count, and what answers each request of a batch."""
    return [
        _endpoint(MESSAGES, Anthropic(strict), strict),
        _endpoint(f"{MESSAGES}/count_tokens", AnthropicCount(strict), strict),
        batch_endpoint(strict),
    ]


def batch_endpoint(strict: bool) -> Endpoint:
    """What answers each request of a message batch."""
    return ANTHROPIC.endpoint(f"{MESSAGES}/batches", AnthropicBatch(strict))


def _endpoint(path: str, codec: Codec, strict: bool) -> Endpoint:
    header_check = _check_version if strict else None
    return ANTHROPIC.endpoint(path, codec, (path, f"/anthropic{path}"), header_check=header_check)


def _check_version(header: RequestHeader) -> None:
    messages_strict.check_version(header("anthropic-version"))


ANTHROPIC = Provider(
    name="anthropic",
    claims=Claims(
        prefixes=("/anthropic/", MESSAGES, "/v1/complete", "/v1/memory_stores"),
        headers=("anthropic-version", "x-api-key"),
    ),
    auth=ProviderAuth(auth.key, auth.refusal, auth.HEADERS, auth.PARAMETERS),
    errors=errors.FORMAT,
    headers=errors.head,
    limit_headers=limits.headers,
    hosted_limits=limits.hosted,
    endpoints=endpoints,
    models=ModelListing(
        ("/v1/models", "/anthropic/v1/models"),
        model_list.page,
        model_list.model,
        errors.headers,
        vendor="anthropic",
    ),
)
