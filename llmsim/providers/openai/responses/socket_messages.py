"""Responses over a WebSocket: the messages that are no events of an answer
(``types.responses.responses_client_event``, ``responses_server_event``)."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from msgspec import Struct

from llmsim.core.errors import invalid
from llmsim.providers.openai.errors import refuse
from llmsim.providers.wire.decoding import MalformedBody, decode, stored_json

CREATE = "response.create"
STEER = "response.steer"
# Response headers that the message of an error repeats, by their beginnings.
REPEATED_HEADERS = ("retry-after", "x-ratelimit-")


class ClientEvent(Struct):
    """The members that every message of a client has; the others are a request's parameters."""

    type: str
    stream_id: str | None = None


_event = msgspec.json.Decoder(ClientEvent)


def client_event(message: bytes) -> ClientEvent:
    """The message's type and stream. Raises BadRequest for a type that is not known."""
    try:
        event = decode(_event, message)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    if event.type not in (CREATE, STEER):
        known = f"'{CREATE}' and '{STEER}'"
        text = f"Invalid value: '{event.type}'. Supported values are: {known}."
        raise invalid(text, "type", "invalid_value")
    return event


def error(status: int, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """A failed call as a message; ``body`` is the error object of a response over HTTP."""
    failed: dict[str, Any] = orjson.loads(body)["error"]
    repeated = {name: value for name, value in headers if name.startswith(REPEATED_HEADERS)}
    if repeated:
        failed["headers"] = repeated
    return orjson.dumps({"type": "error", "status": status, "error": failed})


def not_steered(message: bytes) -> bytes:
    """The answer to ``response.steer``: simulated answers are fixed when they begin."""
    event = stored_json(message)
    failed = {
        "type": "response.steer.failed",
        "sequence_number": 0,
        "steer": {
            "input": event.get("input", ""),
            "previous_response_id": event.get("previous_response_id", ""),
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
