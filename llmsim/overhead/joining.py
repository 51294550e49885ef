"""What the client saw, joined with what llmsim remembers of the same request.

An answer that brought one of llmsim's ids is joined by it. A request that llmsim got and no answer
is joined with has the client's marker in its prompt: the answer lost its ids on the way, or it is
an attempt whose answer the gateway kept to itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from llmsim.overhead.answers import SeenAnswer
from llmsim.overhead.journal import JournalReader, JournalRecord

EARLIER: Final = 1.0
"""Seconds before a turn from which requests are asked for: two machines' clocks differ."""
MARKER: Final = re.compile(r"ovh-([0-9a-f]{8})-(\d+)")


def marker(run: str, number: int) -> str:
    """What a request of a run is known by, in its prompt and in ``x-request-id``."""
    return f"ovh-{run}-{number}"


@dataclass(frozen=True, slots=True)
class Joined:
    """A client's request, and llmsim's requests that it led to, in order; the last one answered."""

    seen: SeenAnswer
    records: tuple[JournalRecord, ...] = ()


def joined(
    answers: Sequence[SeenAnswer], journal: JournalReader, run: str, begun: float
) -> list[Joined]:
    """Join the answers of a turn that began then (Unix, seconds). Raises JournalError."""
    records, whole = journal.since(begun - EARLIER)
    by_id = {one.id: one for one in records}
    if not whole:
        missing = {mark for one in answers for mark in one.marks} - by_id.keys()
        by_id |= {one.id: one for one in journal.records(missing)}
    found: dict[int, list[JournalRecord]] = defaultdict(list)
    for answer in answers:
        mine = {mark for mark in answer.marks if mark in by_id}
        found[answer.number] += [by_id.pop(mark) for mark in mine]
    for name in list(by_id):
        number = _number(journal, name, run)
        if number is not None:
            found[number].append(by_id[name])
    return [
        Joined(one, tuple(sorted(found[one.number], key=lambda record: record.arrived)))
        for one in answers
    ]


def _number(journal: JournalReader, name: str, run: str) -> int | None:
    """The number of the client's request that a request of the journal came from."""
    found = journal.record(name)
    if found is None:
        return None
    match = MARKER.search(orjson.dumps(found[1]).decode())
    return int(match[2]) if match and match[1] == run else None
