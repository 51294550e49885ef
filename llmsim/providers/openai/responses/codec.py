"""OpenAI responses: the answer, plain and streamed.

Shapes as openai 3.54 types them in ``types.responses``.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from llmsim.core import Completion, Finish, Request, Stamp, StreamScript
from llmsim.core.errors import Failure, FailureKind
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.error_messages import MESSAGES
from llmsim.providers.openai.responses import conversion, params, response_object
from llmsim.providers.openai.responses import events as responses_events
from llmsim.providers.openai.responses import items as responses_items
from llmsim.providers.openai.responses import strict as responses_strict
from llmsim.providers.openai.responses.params import Wire
from llmsim.providers.openai.strict import prepare
from llmsim.providers.provider import ErrorFormat

TOO_LONG = (
    "Your input exceeds the context window of this model. Please adjust your input and try again."
)


def error_format() -> ErrorFormat:
    """OpenAI's, with this endpoint's own names of parameters."""
    return replace(openai_errors.FORMAT, failure=_failure)


def _failure(failed: Failure, stamp: Stamp) -> tuple[int, bytes]:
    if failed.kind is FailureKind.CONTEXT_LENGTH:
        failed = replace(failed, message=TOO_LONG, param="input")
    elif failed.param == "response_format":
        failed = replace(failed, param="text.format.schema")
    return openai_errors.failure(failed)


class OpenAIResponses:
    """``POST /v1/responses``. ``strict`` refuses all that the live service refuses.

    Over a WebSocket (``live``) all answers are streamed, and kept as long as the connection may
    build on them.
    """

    name = "openai_responses"

    def __init__(self, strict: bool = False, live: bool = False) -> None:
        self._strict = strict
        if strict:
            prepare("openai_responses")
        self._live = live

    def decode(self, body: bytes) -> Request:
        parsed = params.parsed(body)
        if self._live:
            parsed.stream, parsed.background = True, False
        request = conversion.request(parsed)
        if self._strict:
            responses_strict.check(body, parsed, self._live)
        return structs.replace(request, store=True) if self._live else request

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        wire: Wire = request.wire
        items = [
            responses_items.whole(item)
            for item in responses_items.outputs(request, completion, stamp)
        ]
        finish = Finish.STOP if wire.params.generate is False else completion.choices[0].finish
        parts = response_object.finished(wire.echo, stamp, finish, completion.usage, items)
        return b"".join(map(bytes, parts))

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        return responses_events.script(request, completion, stamp)

    def queued(self, request: Request, stamp: Stamp) -> bytes:
        """What a response in the background is answered with at once."""
        echo: bytes = request.wire.echo
        return b"".join(response_object.unfinished(echo, stamp, "queued"))

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        """The event that ends a stream which breaks off after ``sent`` events."""
        code = failure.code or openai_errors.WIRE_ERRORS[failure.kind][2] or "server_error"
        message = failure.message or MESSAGES[failure.kind]
        echo: bytes = request.wire.echo
        return responses_events.failure(echo, stamp, code, message, sent)
