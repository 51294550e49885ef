"""Where the time of a request went: llmsim, the load client, and what is between them.

    client                     between                            llmsim
    due ─▶ sent ───────────────▶ way in ──────────────────▶ arrived
                                                               │ planned, and late
    read ◀─ in the kernel ◀──── way out ◀──────────────────── left

Between them is the gateway and, whatever the gateway is, the network of this machine: that is what
the same figures of requests past the gateway are for. Where the client's clock is not llmsim's,
way in and way out are wrong by the difference of the clocks, one as much too short as the other is
too long, and in both ways alike: what is added is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from llmsim.overhead.figures import Values
from llmsim.overhead.joining import Joined
from llmsim.overhead.journal import JournalRecord

NOTHING: Final = float("nan")


class Split(NamedTuple):
    """One request, milliseconds; NaN where there is no such time. ``at`` is when it was due, a Unix
    time in seconds.

    ``head``, ``ttft`` and ``total`` are from sending the request until the first byte, the first
    text and the last byte, less what llmsim took until it sent them. ``per_token`` is how long the
    last text was between llmsim and client, its predecessor no longer being: what a token costs
    once the stream goes. ``per_output_token`` is how much longer the time between tokens was than
    llmsim's own. ``held`` is how long the first text had been with the gateway because more was
    read with it. ``tokens_per_read`` is no time.
    """

    at: float
    head: float
    ttft: float
    total: float
    per_token: float
    per_output_token: float
    held: float
    way_in: float
    way_out: float
    tokens_per_read: float
    simulator_arrival: float
    simulator_hand_over: float
    simulator_output: float
    simulator_late: float
    client_late: float
    client_sent_late: float


def splits(found: Iterable[Joined], head_at_once: bool) -> list[Split]:
    """Of the requests that went well and led to one request of llmsim's: what a gateway does about
    failures is counted and not timed."""
    return [
        split(one, one.records[0], head_at_once)
        for one in found
        if one.seen.error is None
        and len(one.records) == 1
        and one.records[0].status == 200
        and one.records[0].actual.total_ms is not None
    ]


def split(one: Joined, record: JournalRecord, head_at_once: bool) -> Split:
    seen, actual = one.seen, record.actual
    assert actual.total_ms is not None
    left_first = record.arrived + (actual.first_ms or actual.total_ms) / 1e3
    left_last = record.arrived + actual.total_ms / 1e3
    way_in, way_out = record.arrived - seen.sent, seen.end - left_last
    left_head = record.arrived if head_at_once and seen.stream else left_first
    ttft = per_token = per_output_token = held = tokens_per_read = NOTHING
    if seen.stream:
        tokens = record.tokens.get("completion", 0) - record.tokens.get("reasoning", 0)
        tokens = max(tokens, seen.text_events)
        ttft = way_in + seen.first - left_first
        tokens_per_read = tokens / seen.text_reads
        if tokens > 1:
            gap = (left_last - left_first) / (tokens - 1)
            held = (seen.first_events - 1) * gap
            after_first = seen.last - seen.first - (left_last - left_first - held)
            per_output_token = after_first / max(tokens - seen.first_events, 1)
            per_token = seen.last - left_last
            if seen.before_last > left_last:  # it waited for its turn behind the one before it
                per_token = (seen.last - seen.before_last) / seen.last_events
    late = max(left_first - record.arrived - (record.planned.ttft_ms or 0.0) / 1e3, 0.0)
    if not record.stream:
        late = max(actual.total_ms - (record.planned.total_ms or 0.0), 0.0) / 1e3
    output = NOTHING if record.output_lag_max_ms is None else record.output_lag_max_ms / 1e3
    seconds = Split(
        at=seen.due,
        head=way_in + seen.head - left_head,
        ttft=ttft,
        total=way_in + way_out,
        per_token=per_token,
        per_output_token=per_output_token,
        held=held,
        way_in=way_in,
        way_out=way_out,
        tokens_per_read=tokens_per_read,
        simulator_arrival=record.arrival_lag_ms / 1e3,
        simulator_hand_over=(record.lateness_max_ms or 0.0) / 1e3,
        simulator_output=output,
        simulator_late=late,
        client_late=seen.late,
        client_sent_late=seen.waited,
    )
    milliseconds = Split(*(value * 1e3 for value in seconds))
    return milliseconds._replace(at=seconds.at, tokens_per_read=seconds.tokens_per_read)


def column(rows: Sequence[Split], name: str) -> Values:
    """One figure of all requests that have it, in the order in which they were sent."""
    values = np.array([getattr(row, name) for row in rows], dtype=np.float64)
    return values[~np.isnan(values)]
