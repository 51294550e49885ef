"""Whether a gateway passes events on as they were: llmsim is asked the same again, without it.

An answer of llmsim's follows from its request and its seed. Both are in the journal, so the events
that it sent can be had a second time, at once (``x-llmsim-latency: instant``), and be compared with
what came through the gateway; ids and times of creation aside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from statistics import fmean
from typing import Any, Final

import orjson

from llmsim.overhead.answers import MARK, StreamEvent, events
from llmsim.overhead.dialects import Dialect
from llmsim.overhead.journal import JournalReader
from llmsim.overhead.report import FrameChanges
from llmsim.overhead.settings import OverheadSettings

COMPARED: Final = 8
"""Answers that are compared."""
TIMES: Final = re.compile(rb'("(?:created|created_at|completed_at)": ?)\d+')
ZEROS: Final = b"0" * 26
MARK_BYTES: Final = re.compile(MARK.pattern.encode())
SEED: Final = "x-llmsim-seed"


@dataclass(frozen=True, slots=True)
class StreamBody:
    """The body of a stream that came through the gateway, and the id llmsim knows it by."""

    id: str
    body: bytes


class FrameError(Exception):
    """Nothing can be compared; the message says why."""


def frame_changes(
    streams: Sequence[StreamBody],
    dialect: Dialect,
    settings: OverheadSettings,
    journal: JournalReader,
    context: Any,
) -> FrameChanges:
    """Compare some streams with what llmsim sent."""
    counts: Counter[str] = Counter()
    added: set[str] = set()
    removed: set[str] = set()
    try:
        pairs = [
            (one.body, _again(one, dialect, settings, journal, context))
            for one in streams[:COMPARED]
        ]
    except FrameError as error:
        return FrameChanges(problem=str(error))
    if not pairs:
        return FrameChanges(problem="no stream went through the gateway and could be joined")
    lengths: list[tuple[int, int]] = []
    for through, direct in pairs:
        passed, sent = list(events(_masked(through))), list(events(_masked(direct)))
        counts[_change(passed, sent)] += 1
        some, others = _fields(passed), _fields(sent)
        added |= some - others
        removed |= others - some
        lengths.append((len(passed), len(sent)))
    return FrameChanges(
        compared=len(pairs),
        same_bytes=counts["same_bytes"],
        same_json=counts["same_json"],
        reordered=counts["reordered"],
        changed=counts["changed"],
        events_through=fmean(one for one, _ in lengths),
        events_direct=fmean(one for _, one in lengths),
        bytes_through=fmean(len(one) for one, _ in pairs),
        bytes_direct=fmean(len(one) for _, one in pairs),
        fields_added=sorted(added),
        fields_removed=sorted(removed),
    )


def _again(
    one: StreamBody,
    dialect: Dialect,
    settings: OverheadSettings,
    journal: JournalReader,
    context: Any,
) -> bytes:
    record = journal.record(one.id)
    if record is None:
        raise FrameError("the journal has forgotten the requests")
    target = dialect.target(record.model, True)
    if record.endpoint.split("/")[-1].split(":")[0] not in target:
        raise FrameError(f"the gateway asks another API of llmsim: {record.endpoint}")
    url = settings.upstream
    name, prefix = dialect.key
    headers = {
        "content-type": "application/json",
        name: prefix + settings.api_key,
        **dict(dialect.headers),
        SEED: str(record.seed),
        "x-llmsim-latency": "instant",
    }
    connection: HTTPConnection = (
        HTTPSConnection(url.netloc, timeout=settings.timeout, context=context)
        if url.scheme == "https"
        else HTTPConnection(url.netloc, timeout=settings.timeout)
    )
    try:
        connection.request("POST", url.path + target, orjson.dumps(record.request), headers)
        response = connection.getresponse()
        answer = response.read()
    except (OSError, HTTPException) as error:
        raise FrameError(str(error)) from None
    finally:
        connection.close()
    if response.status != 200 or response.headers.get(SEED) != str(record.seed):
        raise FrameError("llmsim does not repeat answers: control.headers is off, or a fault")
    return answer


def _masked(body: bytes) -> bytes:
    return TIMES.sub(rb"\g<1>0", MARK_BYTES.sub(ZEROS, body)).replace(b"\r\n", b"\n")


def _change(passed: Sequence[StreamEvent], sent: Sequence[StreamEvent]) -> str:
    """What happened to the events of one answer."""
    if [one.raw for one in passed] == [one.raw for one in sent]:
        return "same_bytes"
    some, others = ([(one.kind, _sorted(one.data)) for one in each] for each in (passed, sent))
    if some == others:
        return "same_json"
    return "reordered" if sorted(some) == sorted(others) else "changed"


def _sorted(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


def _fields(found: Sequence[StreamEvent]) -> set[str]:
    return {name for one in found for name in _paths(one.data, "")}


def _paths(value: Any, before: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{before}{key}"
            yield from _paths(inner, f"{before}{key}.")
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, before)
