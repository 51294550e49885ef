"""Errors where no endpoint answers."""

import asyncio

import orjson
import pytest

from llmsim.config import Config
from llmsim.core.errors import Failure, FailureKind
from llmsim.server.refusals import refusal, unlogged_stamp
from tests.server.in_process import Answer, InProcess

FAILURE = Failure(FailureKind.UNKNOWN_PATH, "no such path")


def test_a_refusal_is_in_the_callers_format() -> None:
    status, headers, body = refusal(FAILURE, "/v1/models/x", "", {"x-api-key": "k"}.get)
    error = orjson.loads(body)
    assert (status, error["error"]["type"]) == (404, "not_found_error")
    assert error["request_id"] == dict(headers)["request-id"]


@pytest.mark.parametrize("path", ["/llmsim", "/llmsim/", "/llmsim/config", "/llmsim/nothing"])
def test_a_refusal_of_llmsims_own_is_in_its_format(path: str) -> None:
    status, headers, body = refusal(FAILURE, path, "", {"x-api-key": "k"}.get)
    assert (status, orjson.loads(body)) == (404, {"error": {"message": "no such path"}})
    assert headers == [("content-type", "application/json")]


def test_no_two_stamps_are_the_same() -> None:
    assert len({unlogged_stamp().mark for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/responses/"),
        ("GET", "/v1/responses/"),
        ("DELETE", "/v1/responses/"),
        ("POST", "/v1/responses//cancel"),
        ("GET", "/v1/responses//input_items"),
        ("GET", "/v1/conversations/"),
        ("GET", "/v1/chat/completions/"),
        ("POST", "/v1/assistants/"),
        ("GET", "/v1/messages/batches/"),
    ],
)
def test_an_empty_name_in_a_path_is_a_path_that_is_not_served(method: str, path: str) -> None:
    async def asked() -> Answer:
        with InProcess(Config()) as server:
            body = orjson.dumps({"model": "gpt-4o", "input": "hi"}) if method == "POST" else b""
            return await server.ask(method, path, body, {"content-type": "application/json"})

    answer = asyncio.run(asked())
    assert answer.status == 404
    assert orjson.loads(answer.body)["error"]["message"] == f"Invalid URL ({method} {path})"
