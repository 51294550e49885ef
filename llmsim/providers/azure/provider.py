"""Azure OpenAI as a provider."""

from __future__ import annotations

from functools import lru_cache

from llmsim.core import Codec, StreamCodec
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.providers.azure import auth, content_filter, errors, model_list
from llmsim.providers.azure.calls import (
    DEPLOYMENTS,
    REMEMBERED,
    RESPONSES,
    AzureCall,
    azure_call,
    deployment,
    has_version,
)
from llmsim.providers.azure.codecs import AzureCodec, AzureFiltered, AzureStreamCodec
from llmsim.providers.openai import limits
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.completions import codec as completions
from llmsim.providers.openai.completions.codec import OpenAICompletions
from llmsim.providers.openai.embeddings import OpenAIEmbeddings
from llmsim.providers.openai.provider import ALIAS
from llmsim.providers.openai.responses import codec as responses
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.provider import (
    Claims,
    Endpoint,
    EndpointPattern,
    ModelListing,
    Provider,
    ProviderAuth,
    RequestHeader,
)

CALLED = ("chat/completions", "completions", "embeddings", "responses")
ALSO = ("data_sources", "user_security_context")
"""The fields of chat completions that Azure has besides OpenAI's."""
_ERRORS = {
    "completions": errors.error_format(completions.error_format()),
    "responses": errors.error_format(responses.error_format()),
}


def endpoints(strict: bool) -> list[Endpoint]:
    """For bodies that name their model themselves: on the paths that OpenAI has, too."""
    return [_endpoint(AzureCall(operation, None), strict) for operation in CALLED]


@lru_cache(maxsize=REMEMBERED)
def _endpoint(call: AzureCall, strict: bool, versioned: bool = True) -> Endpoint:
    name = RESPONSES if call.operation == "responses" else DEPLOYMENTS + call.operation
    return AZURE.endpoint(
        name,
        _codec(call, strict),
        errors=_ERRORS.get(call.operation, errors.FORMAT),
        header_check=None if versioned else _no_version,
        shared=() if call.deployment else (f"{ALIAS}/{call.operation}",),
    )


def images_endpoint(
    codec: StreamCodec, purpose: str, path: str, query: str, strict: bool
) -> Endpoint:
    """Images by OpenAI's codec, which has to know the server's address. A request on a path of the
    API's version 1 names no version."""
    operation = f"images/{purpose}"
    model = deployment(path, operation)
    versioned = model is None or has_version(query, strict)
    return AZURE.endpoint(
        DEPLOYMENTS + operation,
        AzureStreamCodec("azure_images", codec, model),
        header_check=None if versioned else _no_version,
    )


def _codec(call: AzureCall, strict: bool) -> Codec:
    model = call.deployment
    match call.operation:
        case "chat/completions":
            return AzureFiltered(
                "azure_chat", OpenAIChat(strict, content_filter.NOTES, ALSO), model
            )
        case "completions":
            return AzureFiltered("azure_completions", OpenAICompletions(strict), model)
        case "embeddings":
            return AzureCodec("azure_embeddings", OpenAIEmbeddings(strict), model)
        case _:
            return AzureStreamCodec("azure_responses", OpenAIResponses(strict), model)


def _no_version(header: RequestHeader) -> None:
    raise BadRequest(Failure(FailureKind.UNKNOWN_PATH, errors.RESOURCE_NOT_FOUND))


def _matches(path: str) -> bool:
    return path.startswith("/openai/") and azure_call(path) is not None


def _named(path: str, query: str, strict: bool = False) -> Endpoint:
    call = azure_call(path)
    assert call is not None  # it matched
    return _endpoint(call, strict, has_version(query, strict))


AZURE = Provider(
    name="azure",
    claims=Claims(prefixes=("/openai/",), headers=("api-key",), parameters=("api-version",)),
    auth=ProviderAuth(auth.key, auth.refusal, auth.HEADERS, auth.PARAMETERS),
    errors=errors.FORMAT,
    headers=errors.head,
    limit_headers=limits.headers,
    hosted_limits=limits.hosted,
    endpoints=endpoints,
    pattern=EndpointPattern(_matches, _named),
    models=ModelListing(("/openai/models",), model_list.page, model_list.model, errors.identity),
    echoed=(errors.CLIENT_REQUEST_ID,),
)
