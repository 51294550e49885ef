"""``GET /llmsim/stats`` as the dashboard reads it.

Names are those of the document, milliseconds included. What an older server does not tell is
None or empty, so that one dashboard serves several versions.
"""

from __future__ import annotations

import msgspec


class Requests(msgspec.Struct, frozen=True):
    """Counts since the start; the active ones are now."""

    total: int
    finished: int = 0
    aborted: int = 0
    lost: int = 0
    active: int = 0
    active_streaming: int = 0
    streaming: int = 0
    non_streaming: int = 0


class Tokens(msgspec.Struct, frozen=True):
    """Counts since the start; cached ones are prompt tokens, reasoning ones completion tokens."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0
    cached: int = 0


class Model(msgspec.Struct, frozen=True):
    """What one model was asked and said."""

    requests: int = 0
    prompt: int = 0
    completion: int = 0


class Times(msgspec.Struct, frozen=True):
    """A distribution in milliseconds; None is a figure that is not told."""

    avg: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class Kind(msgspec.Struct, frozen=True):
    """Errors of one kind: those injected on purpose and those that were not."""

    injected: int = 0
    real: int = 0


class Errors(msgspec.Struct, frozen=True):
    """Errors since the start."""

    total: int = 0
    by_status: dict[str, int] = {}
    by_kind: dict[str, Kind] = {}


class Worker(msgspec.Struct, frozen=True):
    """A living worker process; since is Unix time, cpu_s what it has used so far."""

    slot: int
    pid: int
    since: float | None = None
    rss_bytes: int | None = None
    cpu_s: float | None = None
    lag_ms: float | None = None


class Limit(msgspec.Struct, frozen=True):
    """A rate limit: what is left of it, for whom, and when it is whole again."""

    rule: str = ""
    key: str | None = None
    model: str | None = None
    what: str = "requests"
    limit: float = 0
    remaining: float = 0
    reset_s: float | None = None


class Stats(msgspec.Struct, frozen=True):
    """One answer of the server."""

    uptime_s: float
    requests: Requests
    version: str | None = None
    workers: tuple[Worker, ...] = ()
    worker_restarts: int | None = None
    endpoints: dict[str, int] = {}
    models: dict[str, Model] = {}
    statuses: dict[str, int] = {}
    errors: Errors = Errors()
    rate_limited: int | None = None
    rate_limits: tuple[Limit, ...] = ()
    tokens: Tokens = Tokens()
    latency_ms: Times = Times()
    ttft_ms: Times = Times()
    itl_ms: Times = Times()
    queue_ms: Times = Times()
    lateness_ms: Times = Times()


_DECODER = msgspec.json.Decoder(Stats)


def decoded(body: bytes) -> Stats:
    """Raises ValueError, which names the place, for what no llmsim would tell."""
    return _DECODER.decode(body)
