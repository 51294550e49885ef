"""Bodies of any kind: each is answered or refused, and the server keeps serving."""

from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from json import dumps, loads
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.live.http1 import CHAT, HOST
from tests.serving import Server

FIELDS = [
    *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"),
    *("stop", "n", "seed", "temperature", "top_p", "presence_penalty", "frequency_penalty"),
    *("logprobs", "top_logprobs", "logit_bias", "reasoning_effort", "service_tier", "user"),
    *("metadata", "tools", "tool_choice", "response_format", "functions", "function_call"),
    *("store", "parallel_tool_calls", "prediction", "modalities", "audio"),
]
MESSAGE_FIELDS = ["role", "content", "name", "tool_calls", "tool_call_id", "function_call"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server]) -> Iterator[Server]:
    with serve("--workers", "2", "--latency", "instant", "--target-tokens", "10") as server:
        yield server
        assert "Traceback" not in server.output()


@st.composite
def almost_right(draw: st.DrawFn) -> bytes:
    """A request with some fields, or some bytes, replaced."""
    message: dict[str, Any] = {"role": "user", "content": "hi"}
    asked: dict[str, Any] = {"model": "gpt-4o", "messages": [message]}
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=3)):
        asked[name] = draw(VALUES)
    for name in draw(st.lists(st.sampled_from(MESSAGE_FIELDS), max_size=1)):
        message[name] = draw(VALUES)
    body = bytearray(dumps(asked).encode())
    for _ in range(draw(st.integers(0, 2))):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body)


BODIES = st.one_of(
    st.binary(), VALUES.map(lambda value: dumps(value).encode()), almost_right(), almost_right()
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES)
def test_any_body_is_answered_or_refused(sim: Server, body: bytes) -> None:
    connection = HTTPConnection(HOST, sim.port, timeout=20)
    try:
        connection.request("POST", CHAT, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        said = response.read()
        kind = response.headers["content-type"]
        if kind.startswith("text/event-stream"):
            assert (response.status, said[-14:]) == (200, b"data: [DONE]\n\n")
            return
        assert kind == "application/json"
        answer = loads(said)
        if response.status == 200:
            assert answer["object"] == "chat.completion"
        else:
            assert response.status in (400, 404), answer
            assert answer["error"].keys() == {"message", "type", "param", "code"}
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
    finally:
        connection.close()
