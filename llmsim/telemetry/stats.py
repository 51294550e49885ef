"""What ``GET /llmsim/stats`` answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmsim import __version__
from llmsim.state.shm.step_clocks import ClockStatus
from llmsim.telemetry import build
from llmsim.telemetry.replicas import shown
from llmsim.telemetry.snapshot import Snapshot, TimeHistograms, WorkerSnapshot

ABORTED_STATUS = 499
TOKENS = ("prompt", "completion", "reasoning", "cached")


def stats(
    snapshot: Snapshot,
    workers: Iterable[WorkerSnapshot],
    uptime: float,
    second: float,
    limits: Sequence[Mapping[str, Any]] = (),
    replicas: Sequence[ClockStatus] = (),
    recording: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """``GET /llmsim/stats``: times in milliseconds, counts since the start.

    ``second`` is now on the monotonic clock; ``limits`` are the buckets of the rate limits,
    ``replicas`` those of models under load, ``recording`` says how that goes.
    """
    finished, completed = snapshot.rates(second, uptime)
    statuses = snapshot.by("status")
    return {
        "version": __version__,
        "build": build.kind(),
        "uptime_s": round(uptime, 3),
        "workers": [_worker(one) for one in workers],
        "worker_restarts": snapshot.died,
        "requests": {**_requests(snapshot, statuses), "per_second": round(finished, 3)},
        "endpoints": snapshot.by("endpoint"),
        "models": _models(snapshot),
        "statuses": statuses,
        "errors": _errors(snapshot, statuses),
        "rate_limited": snapshot.limited,
        "rate_limits": list(limits),
        "replicas": shown(replicas),
        "recording": recording,
        "tokens": {
            **{kind: snapshot.total(kind) for kind in TOKENS},
            "per_second": round(completed, 3),
        },
        **_times(snapshot),
    }


def _requests(snapshot: Snapshot, statuses: Mapping[str, int]) -> dict[str, int]:
    left = statuses.get(str(ABORTED_STATUS), 0)
    streaming = snapshot.total("streamed")
    return {
        "total": snapshot.started,
        "finished": snapshot.finished - left,
        "aborted": left + snapshot.lost,
        "lost": snapshot.lost,
        "active": snapshot.active,
        "active_streaming": snapshot.streams_open,
        "active_non_streaming": max(0, snapshot.active - snapshot.streams_open),
        "streaming": streaming,
        "non_streaming": snapshot.finished - streaming,
    }


def _errors(snapshot: Snapshot, statuses: Mapping[str, int]) -> dict[str, Any]:
    """Answers that were errors, or broke off with one. A client that left is none."""
    return {
        "total": sum(one.injected + one.real for one in snapshot.errors.values()),
        "by_status": {
            status: count
            for status, count in statuses.items()
            if int(status) >= 400 and int(status) != ABORTED_STATUS
        },
        "by_kind": {
            kind.value: {"injected": one.injected, "real": one.real}
            for kind, one in snapshot.errors.items()
            if one.injected or one.real
        },
    }


def _times(snapshot: Snapshot) -> dict[str, dict[str, float]]:
    return {
        "latency_ms": {
            "avg": _ms(snapshot.latency.mean),
            "min": _ms(snapshot.shortest),
            "max": _ms(snapshot.longest),
            **_quantiles(snapshot.latency, snapshot.longest),
        },
        "ttft_ms": {"avg": _ms(snapshot.ttft.mean), **_quantiles(snapshot.ttft)},
        "itl_ms": {"avg": _ms(snapshot.itl.mean), **_quantiles(snapshot.itl)},
        "queue_ms": _counted(snapshot.queue),
        "lateness_ms": {
            "frames": snapshot.frames,
            "max": _ms(snapshot.latest),
            **_quantiles(snapshot.lateness, snapshot.latest),
        },
        "arrival_lag_ms": _counted(snapshot.arrival_lag),
        "output_lag_ms": _counted(snapshot.output_lag),
        "delivery_lateness_ms": _counted(snapshot.delivery_lateness),
        "loop_lag_ms": _counted(snapshot.loop_lag),
    }


def _worker(one: WorkerSnapshot) -> dict[str, Any]:
    return {
        "slot": one.slot,
        "pid": one.pid,
        "since": round(one.since, 3),
        "rss_bytes": one.rss,
        "cpu_s": None if one.cpu is None else round(one.cpu, 3),
        "lag_ms": None if one.lag is None else _ms(one.lag),
        "open_connections": one.connections,
    }


def _models(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """By model, the most used first."""
    models = {
        name: {"requests": count, "prompt": 0, "completion": 0, "errors": 0}
        for name, count in snapshot.by("model").items()
    }
    for row in snapshot.rows:
        one = models[row.model]
        one["prompt"] += row.columns["prompt"]
        one["completion"] += row.columns["completion"]
        one["errors"] += row.columns["failed"]
    return models


def _quantiles(times: TimeHistograms, longest: float = float("inf")) -> dict[str, float]:
    return {f"p{share:g}": _ms(min(times.quantile(share / 100), longest)) for share in (50, 95, 99)}


def _counted(times: TimeHistograms) -> dict[str, float]:
    return {"avg": _ms(times.mean), **_quantiles(times), "count": times.count}


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
