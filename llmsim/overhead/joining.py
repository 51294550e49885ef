"""What the client saw, joined with what llmsim remembers of the same request.

A request is known by what the client sent: ``x-request-id``, else the trace id of ``traceparent``.
Where the gateway lets neither through, an answer that brought one of llmsim's ids is joined by it,
and what is left by the marker in the prompt. So attempts whose answers a gateway kept to itself are
found, too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from llmsim.overhead.answers import SeenAnswer
from llmsim.overhead.journal import JournalReader, JournalRecord

EARLIER: Final = 1.0
"""Seconds before a turn from which requests are asked for: two machines' clocks differ."""
MARKER: Final = re.compile(r"ovh-([0-9a-f]{8})-(\d+)")
TRACE: Final = re.compile(r"00-([0-9a-f]{8})([0-9a-f]{24})-")


def marker(run: str, number: int) -> str:
    """What a request of a run is known by: its ``x-request-id``."""
    return f"ovh-{run}-{number}"


def traceparent(run: str, number: int) -> str:
    return f"00-{run}{number:024x}-{number + 1:016x}-01"


@dataclass(frozen=True, slots=True)
class Joined:
    """A client's request, and llmsim's requests that it led to, in order; the last one answered."""

    seen: SeenAnswer
    records: tuple[JournalRecord, ...] = ()


def joined(
    answers: Sequence[SeenAnswer], journal: JournalReader, run: str, begun: float
) -> list[Joined]:
    """Join the answers of a turn that began then (Unix, seconds). Raises JournalError."""
    found: dict[int, list[JournalRecord]] = defaultdict(list)
    unclaimed: dict[str, JournalRecord] = {}
    for record in journal.since(begun - EARLIER):
        number = _sent(record, run)
        if number is None:
            unclaimed[record.id] = record
        else:
            found[number].append(record)
    for answer in answers:
        for mark in unclaimed.keys() & set(answer.marks):
            found[answer.number].append(unclaimed.pop(mark))
    for record in unclaimed.values():
        if record.x_request_id is None or not MARKER.search(record.x_request_id):
            number = _in_prompt(journal, record, run)
            if number is not None:
                found[number].append(record)
    return [
        Joined(one, tuple(sorted(found[one.number], key=lambda record: record.arrived)))
        for one in answers
    ]


def _sent(record: JournalRecord, run: str) -> int | None:
    """The number of the client's request, by the headers that llmsim had from it."""
    match = MARKER.search(record.x_request_id or "")
    if match and match[1] == run:
        return int(match[2])
    match = TRACE.match(record.traceparent or "")
    return int(match[2], 16) if match and match[1] == run else None


def _in_prompt(journal: JournalReader, record: JournalRecord, run: str) -> int | None:
    """The number of the client's request, by the marker in its prompt."""
    whole = journal.record(record.id)
    match = MARKER.search((whole.marker or "") if whole is not None else "")
    return int(match[2]) if match and match[1] == run else None
