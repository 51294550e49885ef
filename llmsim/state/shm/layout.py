"""Where the numbers of a worker's counters are, in int64:

    0       header: pid of the owner (0 if it has none), when it took over (Unix time, µs),
            how many owners there have been
    16      counters, in the order of :data:`COUNTERS`
    48      gauges, in the order of :data:`GAUGES`: what the owner last measured of itself
    80      answers with an error, by :class:`FailureKind`: real ones and injected ones
    …       each second: 64 triples (second of the monotonic clock, requests finished in it and
            their completion tokens)
    …       histograms, in the order of :data:`HISTOGRAMS`: sum in µs, then the buckets
    …       rows: what was finished, by endpoint, model and status; the numbers of :data:`COLUMNS`
    …       series: how long that took, by endpoint, model and whether it was streamed; a histogram
            for each of :data:`TIMES`

What a row or a series is of, the label of its number says, which all workers share
(:mod:`llmsim.state.shm.labels`).
"""

from __future__ import annotations

from llmsim.core.errors import FailureKind
from llmsim.state.shm.histogram import BUCKETS

COUNTERS = (
    "requests_started",
    "requests_lost",  # open when their worker died
    "streams_opened",
    "streams_closed",
    "frames_sent",
    "clients_stalled",  # disconnected as they read nothing for server.stall_timeout_ms
    "clients_behind",  # … as server.max_unsent_bytes waited for them
    "clients_silent",  # … as no request came for server.header_timeout_ms
    "bodies_late",  # requests refused as their body took longer than server.body_timeout_ms
    "websockets_refused",  # as there was no room for more
    "latency_longest_us",
    "latency_shortest_us",  # stored as 1 + µs, 0 where there is none
    "lateness_longest_us",
    "owners_died",  # without having resigned
    "cpu_us",  # of all owners
    "log_lines_dropped",
    "answers_too_large",
    "recordings",  # of exchanges with other services, written
    "recording_bytes",
    "recordings_lost",  # as the folder took none, or too many waited
    "spans",  # of requests, taken by the collector
    "spans_dropped",  # as it took none, or there were too many
)
GAUGES = (
    "beat_us",  # of the monotonic clock, when the owner last wrote its gauges
    "cpu_before_us",  # of the owners before this one
    "rss_bytes",
    "lag_us",  # how late a timer of the event loop fired
    "connections",  # stored as 1 + number, 0 where it is not known
    "generation",  # of the configuration it goes by; stored as 1 + number, 0 until it serves
    "warm",  # 1 once nothing has to be built any more for the models of server.warm
    "recording",  # 0 if nothing is recorded; 1 + the number of the error that stops it, 1 for none
)
HISTOGRAMS = (
    "lateness",
    "queue",
    "arrival_lag",  # from the socket to the handler, body included
    "output_lag",  # from the scheduler to the kernel, of some frames
    "delivery_lateness",  # from when a frame was due to when the kernel had it, of some frames
    "loop_lag",  # from when the event loop was to tick to when it did
)
COLUMNS = ("count", "prompt", "completion", "reasoning", "cached", "streamed", "failed")
TIMES = ("latency", "ttft", "itl")

ROWS = 512
SERIES = 128
SECONDS = 64
HEADER = 16

_GAUGES = HEADER + 32
ERRORS = _GAUGES + 32
RATES = ERRORS + 2 * len(FailureKind)
_HISTOGRAMS = RATES + 3 * SECONDS
HISTOGRAM = 1 + BUCKETS
_ROWS = _HISTOGRAMS + len(HISTOGRAMS) * HISTOGRAM
_SERIES = _ROWS + ROWS * len(COLUMNS)
SIZE = -(-(_SERIES + SERIES * len(TIMES) * HISTOGRAM) * 8 // 4096) * 4096

(
    STARTED,
    LOST,
    OPENED,
    CLOSED,
    FRAMES,
    STALLED,
    BEHIND,
    SILENT,
    BODIES_LATE,
    SOCKETS_REFUSED,
    LONGEST,
    SHORTEST,
    LATEST,
    DIED,
    CPU,
    DROPPED,
    TOO_LARGE,
    RECORDINGS,
    RECORDING_BYTES,
    RECORDINGS_LOST,
    SPANS,
    SPANS_DROPPED,
) = range(HEADER, HEADER + len(COUNTERS))
BEAT, CPU_BEFORE, RSS, LAG, CONNECTIONS, GENERATION, WARM, RECORDING = range(
    _GAUGES, _GAUGES + len(GAUGES)
)
LATENESS, QUEUE, ARRIVAL_LAG, OUTPUT_LAG, DELIVERY_LATENESS, LOOP_LAG = range(
    _HISTOGRAMS, _HISTOGRAMS + len(HISTOGRAMS) * HISTOGRAM, HISTOGRAM
)
LATENCY, TTFT, ITL = range(0, len(TIMES) * HISTOGRAM, HISTOGRAM)
"""Where these are in a series."""

DROPPED_CLIENTS = {
    "stall_timeout_ms": STALLED,
    "max_unsent_bytes": BEHIND,
    "header_timeout_ms": SILENT,
    "body_timeout_ms": BODIES_LATE,
    "max_connections": SOCKETS_REFUSED,
}
"""By the key of the bound that was reached: where it is counted."""

KINDS = tuple(FailureKind)
REAL = {kind: ERRORS + 2 * index for index, kind in enumerate(KINDS)}
"""Where the real errors of a kind are counted; the injected ones follow."""


def rows_at(rows: int) -> slice:
    """Where the first so many rows are."""
    return slice(_ROWS, _ROWS + rows * len(COLUMNS))


def columns_at(index: int) -> int:
    """Where the numbers of a row are."""
    return _ROWS + index * len(COLUMNS)


def all_series_at(series: int) -> slice:
    """Where the first so many series are."""
    return slice(_SERIES, series_at(series))


def series_at(index: int) -> int:
    """Where the first histogram of a series is."""
    return _SERIES + index * len(TIMES) * HISTOGRAM
