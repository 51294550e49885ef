"""Responses over a WebSocket: the messages that are no events of an answer
(``types.responses.responses_client_event``, ``responses_server_event``)."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from msgspec import Struct

from llmsim.core.errors import invalid
from llmsim.providers.openai.errors import refuse
from llmsim.providers.wire.decoding import MalformedBody, decode, remembered

CREATE = "response.create"
STEER = "response.steer"
# Response headers that an error's message tells.
TOLD = ("retry-after", "x-ratelimit-")


class ClientEvent(Struct):
    """What every message of a client has; the others' members are a request's."""

    type: str
    stream_id: str | None = None


_event = msgspec.json.Decoder(ClientEvent)


def event(message: bytes) -> ClientEvent:
    """What kind of message it is. Raises BadRequest for none that is known."""
    try:
        given = decode(_event, message)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    if given.type not in (CREATE, STEER):
        known = f"'{CREATE}' and '{STEER}'"
        text = f"Invalid value: '{given.type}'. Supported values are: {known}."
        raise invalid(text, "type", "invalid_value")
    return given


def error(status: int, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """A failed call as a message; ``body`` is the error object of a response over HTTP."""
    told: dict[str, Any] = orjson.loads(body)["error"]
    about = {name: value for name, value in headers if name.startswith(TOLD)}
    if about:
        told["headers"] = about
    return orjson.dumps({"type": "error", "status": status, "error": told})


def not_steered(message: bytes) -> bytes:
    """The answer to ``response.steer``: simulated answers are fixed when they begin."""
    given = remembered(message)
    failed = {
        "type": "response.steer.failed",
        "sequence_number": 0,
        "steer": {
            "input": given.get("input", ""),
            "previous_response_id": given.get("previous_response_id", ""),
        },
        "error": {
            "type": "invalid_request_error",
            "code": "steering_not_supported",
            "message": "This model does not support steering.",
        },
    }
    return orjson.dumps(failed)


def with_stream_id(message: bytes, stream_id: str | None) -> bytes:
    """The message with the id of the stream it belongs to, if the client gave one."""
    if stream_id is None:
        return message
    return b'{"stream_id":%b,%b' % (orjson.dumps(stream_id), message[1:])
