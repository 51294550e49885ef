"""Errors where no endpoint answers."""

import orjson

from llmsim.core.errors import Failure, FailureKind
from llmsim.server.refusals import refusal, unlogged_stamp

FAILURE = Failure(FailureKind.UNKNOWN_PATH, "no such path")


def test_a_refusal_is_in_the_callers_format() -> None:
    status, headers, body = refusal(FAILURE, "/v1/models/x", "", {"x-api-key": "k"}.get)
    error = orjson.loads(body)
    assert (status, error["error"]["type"]) == (404, "not_found_error")
    assert error["request_id"] == dict(headers)["request-id"]


def test_no_two_stamps_are_the_same() -> None:
    assert len({unlogged_stamp().mark for _ in range(100)}) == 100
