"""Message batches: what they look like at any time."""

from typing import Any

import msgspec
import orjson
import pytest
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from llmsim.core.errors import BadRequest
from llmsim.providers.anthropic import batches as anthropic_batches
from llmsim.providers.anthropic.batches import CANCELING, Batch, Result

START = 1_700_000_000.0
URL = "https://sim.example/v1/messages/batches/msgbatch_1/results"
MESSAGE = msgspec.Raw(
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],'
    b'"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":0}}'
)
ERROR = msgspec.Raw(
    b'{"type":"error","error":{"type":"overloaded_error","message":"no"},"request_id":"r"}'
)
RESULTS = [Result("a", True, MESSAGE), Result("b", False, ERROR), Result("c", True, MESSAGE)]


def batch(canceled: float | None = None) -> Batch:
    """Requests that take 1, 0 and 5 seconds."""
    return Batch("msgbatch_1", START, [1.0, 0.0, 5.0], [True, False, True], canceled)


def shown(one: Batch, after: float) -> MessageBatch:
    return MessageBatch.model_validate(anthropic_batches.batch_object(one, START + after, URL))


def counts(one: Batch, after: float) -> dict[str, int]:
    return {
        key: count for key, count in shown(one, after).request_counts.to_dict().items() if count
    }


@pytest.mark.parametrize(
    ("canceled", "after", "status", "counted"),
    [
        (None, 0.0, "in_progress", {"processing": 3}),
        (None, 5.0, "in_progress", {"processing": 3}),
        (None, 5.1, "ended", {"succeeded": 2, "errored": 1}),
        (2.0, 2.0, "canceling", {"processing": 3}),
        (2.0, 2.0 + CANCELING, "canceling", {"processing": 3}),
        (2.0, 2.1 + CANCELING, "ended", {"succeeded": 1, "errored": 1, "canceled": 1}),
        (0.5, 1.2, "ended", {"errored": 1, "canceled": 2}),
        (4.9, 5.05, "ended", {"succeeded": 1, "errored": 1, "canceled": 1}),
    ],
)
def test_a_batch_at_any_time(
    canceled: float | None, after: float, status: str, counted: dict[str, int]
) -> None:
    one = batch(None if canceled is None else START + canceled)
    described = shown(one, after)
    assert described.processing_status == status
    assert counts(one, after) == counted
    over = status == "ended"
    assert (described.results_url, described.ended_at is not None) == (URL if over else None, over)
    assert (described.cancel_initiated_at is not None) is (canceled is not None)
    assert (described.expires_at - described.created_at).total_seconds() == 24 * 3600


def lines(one: Batch) -> list[MessageBatchIndividualResponse]:
    body = anthropic_batches.results(one, anthropic_batches.dump_results(RESULTS))
    assert body.endswith(b"\n")
    return [MessageBatchIndividualResponse.model_validate_json(line) for line in body.splitlines()]


@pytest.mark.parametrize(
    ("canceled", "types"),
    [
        (None, ["succeeded", "errored", "succeeded"]),
        (START + 2, ["succeeded", "errored", "canceled"]),
        (START - 1, ["canceled"] * 3),
    ],
)
def test_results(canceled: float | None, types: list[str]) -> None:
    described = lines(batch(canceled))
    assert [line.custom_id for line in described] == ["a", "b", "c"]
    assert [line.result.type for line in described] == types


def test_results_are_what_was_answered() -> None:
    first, second, _ = lines(batch())
    assert first.result.type == "succeeded"
    assert first.result.message.id == "msg_1"
    assert second.result.type == "errored"
    assert second.result.error.error.type == "overloaded_error"


def test_a_batch_is_remembered_as_it_was() -> None:
    one = batch(START + 1)
    assert anthropic_batches.load_batch(anthropic_batches.dump_batch(one)) == one


def test_a_batch_that_is_no_more() -> None:
    described = orjson.loads(anthropic_batches.deleted("msgbatch_1"))
    assert described == {"id": "msgbatch_1", "type": "message_batch_deleted"}


def request(name: str, **params: Any) -> dict[str, Any]:
    return {"custom_id": name, "params": params}


def test_requests_are_read_but_not_their_params() -> None:
    body = orjson.dumps({"requests": [request("a", whatever=1), request("b")]})
    items = anthropic_batches.read(body)
    assert [(item.custom_id, bytes(item.params)) for item in items] == [
        ("a", b'{"whatever":1}'),
        ("b", b"{}"),
    ]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "requests: Field required"),
        ({"requests": []}, "requests: a batch has 1 to 100000 requests"),
        ({"requests": [{"params": {}}]}, "requests.0.custom_id: Field required"),
        ({"requests": [{"custom_id": "a"}]}, "requests.0.params: Field required"),
        (
            {"requests": [request("a"), request("a")]},
            "requests.1.custom_id: 'a' is not unique within the batch",
        ),
    ],
)
def test_a_batch_that_is_wrong(sent: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        anthropic_batches.read(orjson.dumps(sent))
    assert caught.value.failure.message == said
