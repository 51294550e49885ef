"""What all of OpenAI's APIs share: envelope, refusals, response head, ids."""

import re
from typing import Any

import numpy as np
import orjson
import pytest

from llmsim.core import Plan, Stamp
from llmsim.core.errors import Failure, FailureKind
from llmsim.engine.plan import WholeFrame
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.wire.decoding import MalformedBody, Problem

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)


def answered(stream: bool, ttft: float, total: float) -> Plan:
    return Plan(200, WholeFrame(b""), np.array([total]), stream, ttft, total, 1)


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (
            Failure(FailureKind.INVALID, "wrong", "n", "invalid_type"),
            400,
            {"message": "wrong", "type": "invalid_request_error", "param": "n",
             "code": "invalid_type"},
        ),
        (
            Failure(FailureKind.INVALID, "wrong"),
            400,
            {"message": "wrong", "type": "invalid_request_error", "param": None, "code": None},
        ),
        (
            Failure(FailureKind.MODEL_NOT_FOUND, "none"),
            404,
            {"message": "none", "type": "invalid_request_error", "param": None,
             "code": "model_not_found"},
        ),
        (
            Failure(FailureKind.RATE_LIMIT, "slow", retry_after=1.5),
            429,
            {"message": "slow", "type": "requests", "param": None, "code": "rate_limit_exceeded"},
        ),
        (
            Failure(FailureKind.SERVER_ERROR, "oh", status=507),
            507,
            {"message": "oh", "type": "server_error", "param": None, "code": None},
        ),
    ],
)  # fmt: skip
def test_a_failure_in_its_envelope(failure: Failure, status: int, error: dict[str, Any]) -> None:
    shown, body = openai_errors.failure(failure)
    assert (shown, orjson.loads(body)) == (status, {"error": error})


@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_has_all_four_keys(kind: FailureKind) -> None:
    status, body = openai_errors.failure(Failure(kind, 'a "quoted" message'))
    error = orjson.loads(body)["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert error["message"] == 'a "quoted" message'
    assert status == openai_errors.WIRE_ERRORS[kind][0]


@pytest.mark.parametrize(
    ("problem", "path", "expected", "got", "message", "code"),
    [
        ("missing", "model", "", "", "Missing required parameter: 'model'.",
         "missing_required_parameter"),
        ("type", "n", "int | null", "str",
         "Invalid type for 'n': expected an integer, but got a string instead.", "invalid_type"),
        ("type", "messages", "array", "object",
         "Invalid type for 'messages': expected an array, but got an object instead.",
         "invalid_type"),
        ("type", "stop", "str | array | null", "float",
         "Invalid type for 'stop': expected one of string or array, but got a decimal instead.",
         "invalid_type"),
        ("type", "x", "bool | int | array", "null",
         "Invalid type for 'x': expected one of boolean, integer or array, but got null instead.",
         "invalid_type"),
        ("value", "role", "", "'king'", "Invalid value: 'king'.", "invalid_value"),
        ("minimum", "n", "1", "int",
         "Invalid 'n': integer below minimum value. Expected a value >= 1.",
         "integer_below_min_value"),
        ("maximum", "top_p", "1.0", "float",
         "Invalid 'top_p': decimal above maximum value. Expected a value <= 1.0.",
         "decimal_above_max_value"),
        ("short", "messages", "1", "array",
         "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
         "empty array instead.", "empty_array"),
        ("short", "model", "1", "str",
         "Invalid 'model': empty string. Expected a string with minimum length 1, but got an "
         "empty string instead.", "empty_string"),
        ("long", "stop", "4", "array",
         "Invalid 'stop': array too long. Expected an array with maximum length 4.",
         "array_above_max_length"),
        ("long", "model", "256", "str",
         "Invalid 'model': string too long. Expected a string with maximum length 256.",
         "string_above_max_length"),
    ],
)  # fmt: skip
def test_a_mistake_in_openais_words(
    problem: Problem, path: str, expected: str, got: str, message: str, code: str
) -> None:
    failure = openai_errors.refuse(MalformedBody(problem, path, expected, got)).failure
    assert failure == Failure(FailureKind.INVALID, message, path, code)


def test_a_body_that_is_not_json_has_no_param() -> None:
    failure = openai_errors.refuse(MalformedBody("json", "", "unexpected end")).failure
    assert failure.message.startswith("We could not parse the JSON body of your request.")
    assert (failure.kind, failure.param, failure.code) == (FailureKind.INVALID, None, None)


def test_a_body_of_the_wrong_type_has_no_param() -> None:
    failure = openai_errors.refuse(MalformedBody("type", "", "object", "array")).failure
    assert failure.message == "Invalid body: expected an object, but got an array instead."
    assert failure.param is None


@pytest.mark.parametrize(("stream", "ms"), [(True, "250"), (False, "1999")])
def test_processing_time_is_that_to_the_first_byte(stream: bool, ms: str) -> None:
    shown = dict(openai_errors.headers(answered(stream, 0.2505, 1.9999), STAMP))
    assert shown["openai-processing-ms"] == ms
    assert shown["openai-version"] == "2020-10-01"
    assert shown["x-request-id"] == openai_errors.request_id(STAMP)


def test_ids_end_with_the_mark_and_have_openais_length() -> None:
    assert re.fullmatch(r"req_[0-9a-f]{32}", openai_errors.request_id(STAMP))
    assert openai_errors.request_id(STAMP).endswith(STAMP.mark)


def test_ids_of_calls_differ() -> None:
    ids = {openai_errors.call_id(STAMP, place) for place in range(40)}
    assert len(ids) == 40
    assert all(re.fullmatch(r"call_[0-9a-zA-Z]{24}", one) for one in ids)


def test_a_fingerprint_is_constant_for_a_model() -> None:
    assert openai_errors.fingerprint("gpt-4o") == openai_errors.fingerprint("gpt-4o")
    assert openai_errors.fingerprint("gpt-4o") != openai_errors.fingerprint("gpt-4")
    assert re.fullmatch(r"fp_[0-9a-f]{10}", openai_errors.fingerprint("gpt-4o"))
