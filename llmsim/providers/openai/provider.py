"""OpenAI as a provider."""

from __future__ import annotations

from llmsim.core import Codec
from llmsim.providers.openai import auth, errors, limits, model_list
from llmsim.providers.openai.assistants import codec as assistants
from llmsim.providers.openai.assistants.codec import RunCodec
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.completions import codec as completions
from llmsim.providers.openai.completions.codec import OpenAICompletions
from llmsim.providers.openai.embeddings import OpenAIEmbeddings
from llmsim.providers.openai.moderations import OpenAIModerations
from llmsim.providers.openai.responses import codec as responses
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.provider import (
    Claims,
    Endpoint,
    ErrorFormat,
    HeaderCheck,
    ModelListing,
    Provider,
    ProviderAuth,
)

SERVED = (
    "assistants",
    "audio",
    "chat",
    "completions",
    "conversations",
    "embeddings",
    "images",
    "moderations",
    "realtime",
    "responses",
    "threads",
    "vector_stores",
)
"""What paths under ``/v1`` begin with that are OpenAI's alone, whatever headers come with them."""

ALIAS = "/openai/v1"
"""Another prefix of OpenAI's paths, which Azure has, too."""
PREFIXES = ("/v1", ALIAS)
RESPONSES = "/v1/responses"
RUNS = "/v1/threads/runs"


def endpoints(strict: bool) -> list[Endpoint]:
    """All but images, whose codec has to know the server's address, and runs, which there need not
    be."""
    return [
        _endpoint("/v1/chat/completions", OpenAIChat(strict)),
        responses_endpoint(OpenAIResponses(strict)),
        _endpoint("/v1/completions", OpenAICompletions(strict), completions.error_format()),
        _endpoint("/v1/embeddings", OpenAIEmbeddings(strict)),
        _endpoint("/v1/moderations", OpenAIModerations(strict)),
    ]


def responses_endpoint(codec: OpenAIResponses) -> Endpoint:
    """``/v1/responses``, also under the path of Open Responses."""
    paths = (RESPONSES, f"/openai{RESPONSES}", f"/openresponses{RESPONSES}")
    return OPENAI.endpoint(RESPONSES, codec, paths, responses.error_format())


def runs_endpoint(codec: RunCodec, header_check: HeaderCheck | None) -> Endpoint:
    """What makes runs of assistants work. Its paths have names in them, all but one."""
    return OPENAI.endpoint(RUNS, codec, headers=assistants.head, header_check=header_check)


def _endpoint(path: str, codec: Codec, errors: ErrorFormat | None = None) -> Endpoint:
    return OPENAI.endpoint(path, codec, (path, f"/openai{path}"), errors)


OPENAI = Provider(
    name="openai",
    claims=Claims(
        prefixes=(
            *(f"/v1/{name}" for name in SERVED),
            f"{ALIAS}/",
            "/openresponses/",
        )
    ),
    auth=ProviderAuth(auth.key, auth.refusal, auth.HEADERS, auth.PARAMETERS),
    errors=errors.FORMAT,
    headers=errors.head,
    limit_headers=limits.headers,
    hosted_limits=limits.hosted,
    endpoints=endpoints,
    models=ModelListing(
        ("/v1/models", "/openai/v1/models"), model_list.page, model_list.model, errors.identity
    ),
)
