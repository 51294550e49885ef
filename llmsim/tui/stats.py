"""``GET /llmsim/stats`` as the dashboard reads it.

Names are those of the document, milliseconds included. What an older server leaves out is
None or empty, so that one dashboard serves several versions.
"""

from __future__ import annotations

import msgspec


class RequestStats(msgspec.Struct, frozen=True):
    """Counts since the start; the active ones are now."""

    total: int
    finished: int = 0
    aborted: int = 0
    lost: int = 0
    active: int = 0
    active_streaming: int = 0
    streaming: int = 0
    non_streaming: int = 0


class TokenStats(msgspec.Struct, frozen=True):
    """Counts since the start; cached ones are prompt tokens, reasoning ones completion tokens."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0
    cached: int = 0


class ModelStats(msgspec.Struct, frozen=True):
    """Requests for one model and the tokens they took."""

    requests: int = 0
    prompt: int = 0
    completion: int = 0


class LatencyStats(msgspec.Struct, frozen=True):
    """A distribution in milliseconds; None is what the server leaves out."""

    avg: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class ErrorKindStats(msgspec.Struct, frozen=True):
    """Errors of one kind: those that were configured and those that happened."""

    injected: int = 0
    real: int = 0


class ErrorStats(msgspec.Struct, frozen=True):
    """Errors since the start."""

    total: int = 0
    by_status: dict[str, int] = {}
    by_kind: dict[str, ErrorKindStats] = {}


class WorkerStats(msgspec.Struct, frozen=True):
    """A living worker process; since is Unix time, cpu_s what it has used so far."""

    slot: int
    pid: int
    since: float | None = None
    rss_bytes: int | None = None
    cpu_s: float | None = None
    lag_ms: float | None = None


class RateLimitStats(msgspec.Struct, frozen=True):
    """A rate limit: what is left of it, for whom, and when it is whole again."""

    rule: str = ""
    key: str | None = None
    model: str | None = None
    what: str = "requests"
    limit: float = 0
    remaining: float = 0
    reset_s: float | None = None


class ServerStats(msgspec.Struct, frozen=True):
    """One answer of the server."""

    uptime_s: float
    requests: RequestStats
    version: str | None = None
    workers: tuple[WorkerStats, ...] = ()
    worker_restarts: int | None = None
    endpoints: dict[str, int] = {}
    models: dict[str, ModelStats] = {}
    statuses: dict[str, int] = {}
    errors: ErrorStats = ErrorStats()
    rate_limited: int | None = None
    rate_limits: tuple[RateLimitStats, ...] = ()
    tokens: TokenStats = TokenStats()
    latency_ms: LatencyStats = LatencyStats()
    ttft_ms: LatencyStats = LatencyStats()
    itl_ms: LatencyStats = LatencyStats()
    queue_ms: LatencyStats = LatencyStats()
    lateness_ms: LatencyStats = LatencyStats()
    arrival_lag_ms: LatencyStats = LatencyStats()
    output_lag_ms: LatencyStats = LatencyStats()
    last_minute: dict[str, LatencyStats | None] | None = None


_DECODER = msgspec.json.Decoder(ServerStats)


def decoded(body: bytes) -> ServerStats:
    """Raises ValueError, which names the place, for what no llmsim would answer."""
    return _DECODER.decode(body)
