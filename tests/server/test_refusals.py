"""Errors where no endpoint answers."""

import orjson
import pytest

from llmsim.core.errors import Failure, FailureKind
from llmsim.server.refusals import refusal, unlogged_stamp

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
