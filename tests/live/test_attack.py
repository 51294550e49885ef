"""A short attack of each kind, and what earlier ones found: no body makes a 5xx, none holds others
up for long."""

import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from json import dumps, loads
from typing import Any

import pytest

from tests.attack.__main__ import SELF_SIGNED, SERVER, attacked
from tests.attack.bodies import BODIES, MODEL
from tests.attack.target import trusting_anyone
from tests.serving import Server

SECONDS = 6.0
KINDS = (
    "raw bytes within TLS",
    "clients of HTTP/1 that end somehow",
    "clients of HTTP/2 that end somehow",
    "clients of WebSocket that end somehow",
)


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server]) -> Iterator[Server]:
    with serve(*SERVER) as server:
        yield server


def asked(
    sim: Server, path: str, value: Any, method: str = "POST", **headers: str
) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", sim.port, timeout=60)
    try:
        content = value if isinstance(value, bytes) else dumps(value).encode()
        connection.request(method, path, content, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_every_body_of_the_attack_is_valid_as_it_is(sim: Server) -> None:
    for body in BODIES:
        status, answer = asked(sim, body.path, body.value, body.method)
        missing = "conv_1" in dumps(body.value) + body.path or body.path.endswith("chatcmpl-1")
        assert status == (404 if missing else 200), (body.path, answer)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def deep_schema(depth: int) -> str:
    return '{"type":"object","properties":{"a":' * depth + "{}" + "}}" * depth


NUMBERS = ("18446744073709551616", "-9223372036854775809", "1" + "0" * 40)
PARTS = (*NUMBERS, *map(nested, (200, 300, 500, 700, 900, 1000, 1100, 3000)))
SCHEMAS = (
    *map(deep_schema, (100, 200, 300, 400, 1000)),
    *(f'{{"type":"integer","minimum":{number}}}' for number in NUMBERS),
    *(f'{{"enum":[{number}],"default":{number},"examples":[{number}]}}' for number in NUMBERS),
    '{"type":"object","propertyOrdering":[["a"]],"properties":{"a":{}}}',
    '{"type":"string","minLength":"' + "9" * 5000 + '"}',
    '{"dependencies":{},"dependentRequired":1}',
)


def bodies(mark: str) -> Iterator[tuple[str, str]]:
    """A path and a body for each place that has JSON of any form, ``mark`` standing there."""
    chat = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
    function = {"name": "f", "parameters": {"type": "object", "properties": {"p": mark}}}
    yield "/v1/chat/completions", dumps({**chat, "metadata": {"m": mark}})
    for stream in (False, True):
        tools = [{"type": "function", "function": function}]
        yield "/v1/chat/completions", dumps({**chat, "tools": tools, "stream": stream})
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"items": mark}}}
        yield "/v1/chat/completions", dumps({**chat, "response_format": form, "stream": stream})
        tools = [{"type": "function", **function}]
        yield "/v1/responses", dumps({"input": "a", "tools": tools, "stream": stream})
    item = {"type": "message", "role": "user", "content": "a", "x": mark}
    yield "/v1/conversations", dumps({"items": [item]})
    yield "/v1/responses", dumps({"input": [item]})
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": mark}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    messages: dict[str, Any] = {
        **{"model": "m", "max_tokens": 9},
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result, {"type": "new", "x": mark}]},
        ],
    }
    yield "/v1/messages", dumps(messages)
    yield "/v1/messages/count_tokens", dumps(messages)
    yield "/v1/messages", dumps({**messages, "tools": [{"name": "f", "input_schema": mark}]})
    call = {"functionCall": {"name": "f", "args": {"a": mark}}}
    reply = {"functionResponse": {"name": "f", "response": {"a": mark}}}
    contents: dict[str, Any] = {
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [reply]},
        ]
    }
    yield MODEL + "generateContent", dumps(contents)
    form = {"responseMimeType": "application/json", "responseSchema": {"items": mark}}
    yield MODEL + "generateContent", dumps({**contents, "generationConfig": form})
    yield "/llmsim/mocks", dumps({"name": "m", "response": {"content": mark}})


@pytest.mark.parametrize("part", [*PARTS, *SCHEMAS], ids=lambda part: part[:40])
def test_no_number_no_depth_and_no_schema_is_an_error_of_the_server(sim: Server, part: str) -> None:
    for path, body in bodies("MARK"):
        status, answer = asked(sim, path, body.replace('"MARK"', part).encode())
        assert status in (200, 400), (path, answer)
    assert sim_active(sim) == 0


def sim_active(sim: Server) -> int:
    status, stats = asked(sim, "/llmsim/stats", b"", "GET")
    assert status == 200
    active: int = loads(stats)["requests"]["active"]
    return active


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//["])
def test_an_origin_that_is_no_url_is_refused(sim: Server, origin: str) -> None:
    status, _ = asked(sim, "/llmsim/errors", {}, "PATCH", Origin=origin)
    assert status == 403


SPACES = [" ", "\t", "\u00a0"]


@pytest.mark.parametrize("space", SPACES)
def test_white_space_without_end_is_tokenised_everywhere(sim: Server, space: str) -> None:
    text = "x" + space * 1_000_000 + "y"
    message = {"role": "user", "content": text}
    for path, value in (
        ("/v1/chat/completions", {"model": "gpt-4.1", "messages": [message]}),
        ("/v1/responses", {"model": "gpt-4.1", "input": text}),
        ("/v1/responses/input_tokens", {"model": "gpt-4.1", "input": text}),
        ("/v1/messages", {"model": "claude-x", "max_tokens": 9, "messages": [message]}),
        ("/v1/messages/count_tokens", {"model": "claude-x", "messages": [message]}),
        (MODEL + "countTokens", {"contents": [{"parts": [{"text": text}]}]}),
    ):
        status, answer = asked(sim, path, value)
        assert status == 200, (path, answer)
    assert sim_active(sim) == 0


TOO_LONG: dict[str, Any] = {
    "20 MB of text": {"messages": [{"role": "user", "content": "The quick fox. " * 1_400_000}]},
    "300,000 messages": {"messages": [{"role": "user", "content": "a"}] * 300_000},
    "10 MB of a": {"messages": [{"role": "user", "content": "a" * 10_000_000}]},
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_a_prompt_far_too_long_is_refused_in_the_providers_words(sim: Server, name: str) -> None:
    status, answer = asked(sim, "/v1/chat/completions", {"model": "gpt-4o", **TOO_LONG[name]})
    error = loads(answer)["error"]
    assert (status, error["code"]) == (400, "context_length_exceeded")
    tokens = int(error["message"].partition("resulted in ")[2].partition(" ")[0])
    assert 128_000 < tokens < 20_000_000


BOMB = {
    **{"model": "nobody", "n": 128, "max_tokens": 16_000, "logprobs": True, "top_logprobs": 20},
    "messages": [{"role": "user", "content": "a"}],
}


def test_a_bomb_is_refused_and_others_hardly_wait(sim: Server) -> None:
    headers = {"x-llmsim-target-tokens": "16000"}
    worst, over = [0.0], threading.Event()

    def others() -> None:
        while not over.is_set():
            began = time.monotonic()
            assert asked(sim, "/health", b"", "GET")[0] == 200
            worst.append(time.monotonic() - began)

    watching = threading.Thread(target=others)
    watching.start()
    try:
        for _ in range(10):
            status, answer = asked(sim, "/v1/chat/completions", BOMB, **headers)
            assert status == 400
            assert "server.max_answer_bytes" in loads(answer)["error"]["message"]
    finally:
        over.set()
        watching.join()
    assert max(worst) < 1.0


def test_an_attack_of_a_few_seconds_finds_nothing(sim: Server) -> None:
    target = attacked(sim.port, SECONDS, seed=int(time.time()))
    assert not target.report.wrong, str(target.report)
    assert "Traceback" not in sim.output()


def test_nor_does_one_over_tls(serve: Callable[..., Server]) -> None:
    tls = trusting_anyone()
    with serve(*SERVER, *SELF_SIGNED, tls=tls.http1) as secure:
        target = attacked(secure.port, SECONDS / 2, int(time.time()), tls)
        report = target.report
        assert not report.wrong, str(report)
        assert "Traceback" not in secure.output()
        for kind in KINDS:
            assert report.sent[kind], str(report)
