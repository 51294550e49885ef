"""OpenAI responses: the answer, plain and streamed.

Shapes as openai 3.54 types them in ``types.responses``.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from llmsim.dialects import (
    openai,
    openai_responses_ask,
    openai_responses_events,
    openai_responses_items,
    openai_responses_object,
    openai_responses_request,
    openai_responses_strict,
    sse,
)
from llmsim.dialects.openai_responses_request import Wire
from llmsim.dialects.openai_words import WORDS
from llmsim.errors import Failure, Kind
from llmsim.exchange import Ask, Finish, Headers, Plan, Reply, Script, Stamp

_JSON: Headers = [("content-type", "application/json")]
_STREAM: Headers = [("content-type", sse.CONTENT_TYPE), ("cache-control", "no-cache")]

TOO_LONG = (
    "Your input exceeds the context window of this model. Please adjust your input and try again."
)


class OpenAIResponses:
    """``POST /v1/responses``. ``strict`` refuses all that the live service refuses.

    Over a WebSocket (``live``) all answers are streamed, and kept as long as the connection may
    build on them.
    """

    name = "openai_responses"

    def __init__(self, strict: bool = False, live: bool = False) -> None:
        self._strict = strict
        self._live = live

    def decode(self, body: bytes) -> Ask:
        given = openai_responses_request.parsed(body)
        if self._live:
            given.stream, given.background = True, False
        ask = openai_responses_ask.ask(given)
        if self._strict:
            openai_responses_strict.check(given)
        return structs.replace(ask, store=True) if self._live else ask

    def plain(self, ask: Ask, reply: Reply, stamp: Stamp) -> bytes:
        wire: Wire = ask.wire
        items = [
            openai_responses_items.whole(item)
            for item in openai_responses_items.outputs(ask, reply, stamp)
        ]
        finish = Finish.STOP if wire.given.generate is False else reply.choices[0].finish
        parts = openai_responses_object.finished(wire.about, stamp, finish, reply.usage, items)
        return b"".join(parts)

    def script(self, ask: Ask, reply: Reply, stamp: Stamp) -> Script:
        return openai_responses_events.script(ask, reply, stamp)

    def headers(self, plan: Plan, stamp: Stamp) -> Headers:
        return [*(_STREAM if plan.stream else _JSON), *openai.headers(plan, stamp)]

    def failure(self, failure: Failure, stamp: Stamp) -> tuple[int, bytes]:
        if failure.kind is Kind.CONTEXT_LENGTH:
            failure = replace(failure, message=TOO_LONG, param="input")
        elif failure.param == "response_format":
            failure = replace(failure, param="text.format.schema")
        return openai.failure(failure)

    def retry(self, after: float) -> Headers:
        return openai.retry(after)

    def queued(self, ask: Ask, stamp: Stamp) -> bytes:
        """What a response in the background is answered with at once."""
        about: bytes = ask.wire.about
        return b"".join(openai_responses_object.unfinished(about, stamp, "queued"))

    def broken(self, ask: Ask, failure: Failure, stamp: Stamp, sent: int) -> bytes:
        """The event that ends a stream which breaks off after ``sent`` events."""
        code = failure.code or openai.SPELLING[failure.kind][2] or "server_error"
        message = failure.message or WORDS[failure.kind]
        about: bytes = ask.wire.about
        return openai_responses_events.failure(about, stamp, code, message, sent)
