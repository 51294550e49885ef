"""Messages over a WebSocket that are no events of an answer."""

import orjson
import pytest
from openai._models import validate_type
from openai.types.responses.responses_server_event import ResponsesServerEvent

from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.responses import socket_messages


@pytest.mark.parametrize(
    ("message", "kind", "stream_id"),
    [
        (b'{"type":"response.create","model":"gpt-4o"}', "response.create", None),
        (b'{"type":"response.create","stream_id":"s"}', "response.create", "s"),
        (b'{"type":"response.steer","input":"x"}', "response.steer", None),
    ],
)
def test_what_a_client_may_send(message: bytes, kind: str, stream_id: str | None) -> None:
    event = socket_messages.client_event(message)
    assert (event.type, event.stream_id) == (kind, stream_id)


@pytest.mark.parametrize(
    ("message", "param"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"{}", "type"),
        (b'{"type":"session.update"}', "type"),
        (b'{"type":5}', "type"),
    ],
)
def test_what_it_may_not(message: bytes, param: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        socket_messages.client_event(message)
    assert caught.value.failure.param == param


def test_an_error_as_a_message() -> None:
    status, body = openai_errors.failure(Failure(FailureKind.RATE_LIMIT, "slow", "model"))
    headers = [("retry-after", "2"), ("x-request-id", "req_1"), ("x-ratelimit-limit-tokens", "5")]
    sent = orjson.loads(socket_messages.error(status, headers, body))
    read = validate_type(type_=ResponsesServerEvent, value=sent)  # type: ignore[arg-type]
    assert (read.type, read.status) == ("error", 429)
    assert (read.error.code, read.error.message) == ("rate_limit_exceeded", "slow")
    assert read.error.headers == {"retry-after": "2", "x-ratelimit-limit-tokens": "5"}
    bare = orjson.loads(socket_messages.error(status, [], body))
    assert "headers" not in bare["error"]


def test_nothing_is_steered() -> None:
    message = b'{"type":"response.steer","input":"go left","previous_response_id":"resp_1"}'
    sent = orjson.loads(socket_messages.not_steered(message))
    read = validate_type(type_=ResponsesServerEvent, value=sent)  # type: ignore[arg-type]
    assert (read.type, read.error.code) == ("response.steer.failed", "steering_not_supported")
    assert (read.steer.input, read.steer.previous_response_id) == ("go left", "resp_1")


@pytest.mark.parametrize("stream_id", ["s", 'quo"ted'])
def test_messages_tell_the_stream_they_belong_to(stream_id: str) -> None:
    marked = socket_messages.with_stream_id(b'{"type":"x"}', stream_id)
    assert orjson.loads(marked) == {"stream_id": stream_id, "type": "x"}
    assert socket_messages.with_stream_id(b'{"type":"x"}', None) == b'{"type":"x"}'
