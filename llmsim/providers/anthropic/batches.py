"""Anthropic's message batches (``types.messages.message_batch`` of anthropic 2.12).

A batch takes as long as its slowest request would take by itself: all run side by side. The result
of each is computed when the batch is created; its times say when it can be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Raw, Struct

from llmsim.core import Stamp
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers.anthropic.errors import refuse
from llmsim.providers.anthropic.model_list import timestamp
from llmsim.providers.wire.decoding import MalformedBody, decode

MOST = 100_000  # requests
EXPIRY = 86_400.0  # seconds
CANCELING = 0.5  # seconds a batch takes at most to end once it is canceled


class BatchItem(Struct):
    """One request of a batch; ``params`` is the body of ``POST /v1/messages``."""

    custom_id: Annotated[str, Meta(min_length=1, max_length=64)]
    params: Raw


class CreateBatch(Struct):
    requests: list[BatchItem]


class Result(Struct, array_like=True):
    """The result of one request: the body of its answer or its error."""

    custom_id: str
    succeeded: bool
    body: Raw


class Batch(Struct, array_like=True):
    """A batch as it is stored. ``ends`` and ``succeeded`` have one entry for each request. Times
    are in Unix seconds, ``ends`` in seconds after ``created``."""

    id: str
    created: float
    ends: list[float]
    succeeded: list[bool]
    canceled: float | None = None

    @property
    def ended_at(self) -> float:
        """When the last request has ended."""
        last = self.created + max(self.ends)
        return last if self.canceled is None else min(last, self.canceled + CANCELING)

    def has_ended(self, now: float) -> bool:
        """Whether it has ended."""
        return now > self.ended_at

    def completed(self, place: int) -> bool:
        """Whether that request had ended before the batch was canceled."""
        return self.canceled is None or self.created + self.ends[place] <= self.canceled


_create = msgspec.json.Decoder(CreateBatch)
_batch = msgspec.json.Decoder(Batch)
_results = msgspec.json.Decoder(list[Result])


def read(body: bytes) -> list[BatchItem]:
    """The requests of a new batch. Raises BadRequest."""
    try:
        items = decode(_create, body).requests
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    if not 0 < len(items) <= MOST:
        raise invalid(f"requests: a batch has 1 to {MOST} requests", "requests")
    seen: set[str] = set()
    for place, item in enumerate(items):
        if item.custom_id in seen:
            where = f"requests.{place}.custom_id"
            raise invalid(f"{where}: '{item.custom_id}' is not unique within the batch", where)
        seen.add(item.custom_id)
    return items


def batch_id(stamp: Stamp) -> str:
    """``msgbatch_01`` and the stamp's 26 hex digits."""
    return "msgbatch_01" + stamp.mark


def dump_batch(batch: Batch) -> bytes:
    """A batch as it is stored."""
    return msgspec.json.encode(batch)


def load_batch(value: bytes) -> Batch:
    """A stored batch."""
    return _batch.decode(value)


def dump_results(results: Sequence[Result]) -> bytes:
    """The results of a batch as they are stored."""
    return msgspec.json.encode(results)


def batch_object(batch: Batch, now: float, results_url: str) -> dict[str, Any]:
    """The batch object at the time ``now``, in Unix seconds."""
    over = batch.has_ended(now)
    status = "ended" if over else "in_progress" if batch.canceled is None else "canceling"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": _counts(batch, over),
        "ended_at": timestamp(batch.ended_at) if over else None,
        "created_at": timestamp(batch.created),
        "expires_at": timestamp(batch.created + EXPIRY),
        "archived_at": None,
        "cancel_initiated_at": None if batch.canceled is None else timestamp(batch.canceled),
        "results_url": results_url if over else None,
    }


def _counts(batch: Batch, over: bool) -> dict[str, int]:
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    if not over:
        return counts | {"processing": len(batch.ends)}
    for place, succeeded in enumerate(batch.succeeded):
        counts[
            ("succeeded" if succeeded else "errored") if batch.completed(place) else "canceled"
        ] += 1
    return counts


def results(batch: Batch, value: bytes) -> bytes:
    """The results of a batch that has ended, from how they are stored: a line for each request."""
    return b"".join(
        b'{"custom_id":%b,"result":%b}\n'
        % (
            orjson.dumps(result.custom_id),
            _result(result) if batch.completed(place) else _CANCELED,
        )
        for place, result in enumerate(_results.decode(value))
    )


_CANCELED = b'{"type":"canceled"}'


def _result(result: Result) -> bytes:
    if result.succeeded:
        return b'{"type":"succeeded","message":%b}' % bytes(result.body)
    return b'{"type":"errored","error":%b}' % bytes(result.body)


def deleted(name: str) -> bytes:
    """The answer to deleting a batch."""
    return orjson.dumps({"id": name, "type": "message_batch_deleted"})


def not_found(name: str) -> BadRequest:
    """The exception for a batch that does not exist."""
    return BadRequest(Failure(FailureKind.NOT_FOUND, f"message_batch: {name}"))


def not_ended(name: str, what: str) -> BadRequest:
    """The exception for what can be done only after a batch has ended."""
    return invalid(f"Message Batch `{name}` {what} once it has ended, and it is still processing.")
