"""A provider made up for CONTRIBUTING's "Add a provider".

It answers ``POST /acme/v1/chat``, plain and streamed, and lists its models. A real one is a
package in ``llmsim/providers`` with a module for each of the three parts below, and an entry in
``llmsim/providers/registry.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import orjson
from msgspec import Struct

from llmsim.core import (
    Completion,
    Headers,
    LimitStatus,
    Message,
    Plan,
    Request,
    Stamp,
    StreamScript,
)
from llmsim.core.catalog.models import Model
from llmsim.core.errors import Failure, FailureKind, invalid
from llmsim.providers.provider import (
    Claims,
    Endpoint,
    ErrorFormat,
    ModelListing,
    Provider,
    ProviderAuth,
)
from llmsim.providers.wire import sse
from llmsim.providers.wire.decoding import MalformedBody, decode

# The codec: {"model": "acme-1", "prompt": "Hi"} -> {"id": "…", "text": "Hello", "tokens": 1}


class ChatBody(Struct):
    model: str
    prompt: str
    max_tokens: int | None = None
    stream: bool = False


_decoder = msgspec.json.Decoder(ChatBody)


class AcmeChat:
    """``POST /acme/v1/chat``."""

    name = "acme_chat"

    def decode(self, body: bytes) -> Request:
        try:
            chat = decode(_decoder, body)
        except MalformedBody as error:
            raise invalid(f"{error.path or 'body'}: {error.problem}", error.path) from None
        prompt = Message("user", chat.prompt)
        return Request(chat.model, (prompt,), stream=chat.stream, max_tokens=chat.max_tokens)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        text = completion.choices[0].segments[0].generated.text
        tokens = completion.usage.completion
        return orjson.dumps({"id": stamp.mark, "text": text, "tokens": tokens})

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        choice = completion.choices[0]
        generated = choice.segments[0].generated
        chunks = [b'{"text":%b}\n\n' % orjson.dumps(piece) for piece in generated.pieces]
        last = sse.event(orjson.dumps({"id": stamp.mark, "tokens": completion.usage.completion}))
        # A frame for each piece, due with the piece's last token, and one at the end.
        beats = sse.beats_of(generated.ends, choice.beats, before=0, after=0, end=1)
        return StreamScript(sse.Spliced(b"data: ", chunks, last), beats)

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return sse.event(error(failure, stamp)[1])


# Errors, response heads, API keys and rate limits: {"error": "rate_limit", "message": "…"}

STATUS = {
    FailureKind(kind): status
    for status, kinds in {
        400: "invalid content_filter context_length unprocessable",
        401: "authentication",
        402: "billing",
        403: "permission",
        404: "not_found model_not_found unknown_path",
        405: "method",
        408: "timeout_client",
        409: "conflict",
        413: "too_large",
        429: "rate_limit token_limit quota",
        500: "server_error",
        502: "bad_gateway",
        503: "unavailable overloaded",
        504: "timeout",
    }.items()
    for kind in kinds.split()
}


def error(failure: Failure, stamp: Stamp) -> tuple[int, bytes]:
    """Status and body."""
    kind = failure.kind.value
    body = {"error": kind, "message": failure.message or kind, "id": stamp.mark}
    return failure.status or STATUS[failure.kind], orjson.dumps(body)


def error_head(stamp: Stamp) -> Headers:
    return [("content-type", "application/json"), ("acme-id", stamp.mark)]


def retry(after: float) -> Headers:
    return [("retry-after", f"{after:.0f}")]


def head(plan: Plan, stamp: Stamp) -> Headers:
    content_type = sse.CONTENT_TYPE if plan.stream else "application/json"
    return [("content-type", content_type), ("acme-id", stamp.mark)]


def key(header: Callable[[str], str | None], query: str) -> str:
    return header("acme-key") or ""


def wrong_key(key: str) -> Failure:
    return Failure(FailureKind.AUTHENTICATION, "wrong acme-key" if key else "no acme-key")


def limit_head(statuses: Sequence[LimitStatus], now: float) -> Headers:
    return [(f"acme-left-{one.measure.name.lower()}", str(one.remaining)) for one in statuses]


# Models, and all of it together.


def listing(models: Sequence[Model], query: Mapping[str, list[str]], strict: bool) -> bytes:
    return orjson.dumps({"models": [model.id for model in models]})


def described(model: Model) -> bytes:
    return orjson.dumps({"id": model.id, "context": model.context_window})


def model_head(stamp: Stamp) -> Headers:
    return [("acme-id", stamp.mark)]


def endpoints(strict: bool) -> list[Endpoint]:
    return [ACME.endpoint("/acme/v1/chat", AcmeChat(), ("/acme/v1/chat",))]


ACME = Provider(
    name="acme",
    claims=Claims(prefixes=("/acme/",)),
    auth=ProviderAuth(key, wrong_key, ("acme-key",), ()),
    errors=ErrorFormat(error, error_head, retry),
    headers=head,
    limit_headers=limit_head,
    endpoints=endpoints,
    models=ModelListing(("/acme/v1/models",), listing, described, model_head),
)
