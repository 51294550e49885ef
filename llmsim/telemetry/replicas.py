"""How the replicas of models under load are doing: the steps that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client.metrics_core import Metric

from llmsim.state.shm.step_clocks import ClockStatus
from llmsim.telemetry.families import counter, gauge

LABELS = ("model", "replica")


def families(replicas: Sequence[ClockStatus]) -> Iterator[Metric]:
    """The families of replicas; without load models they have no samples."""

    def by_label(value: Callable[[ClockStatus], float]) -> dict[tuple[str, ...], float]:
        return {(one.model, str(one.replica)): value(one) for one in replicas}

    yield gauge(
        "llmsim_sequences_running",
        "Sequences that a replica prefills or decodes.",
        LABELS,
        by_label(lambda one: one.running),
    )
    yield gauge(
        "llmsim_sequences_waiting",
        "Sequences that wait for a replica.",
        LABELS,
        by_label(lambda one: one.waiting),
    )
    yield gauge(
        "llmsim_step_seconds",
        "What a replica's step takes now; 0 where it stands still.",
        LABELS,
        by_label(lambda one: one.step),
    )
    yield counter(
        "llmsim_prefill_tokens",
        "Prompt tokens that a replica has prefilled.",
        LABELS,
        by_label(lambda one: one.prefilled),
    )


def shown(replicas: Sequence[ClockStatus]) -> list[dict[str, Any]]:
    """The same for ``/llmsim/stats``; a step in milliseconds."""
    return [
        {
            "model": one.model,
            "replica": one.replica,
            "running": one.running,
            "waiting": one.waiting,
            "step_ms": round(one.step * 1e3, 3),
            "prefill_tokens": one.prefilled,
            "prefill_tokens_per_second": round(one.prefill_rate, 1),
        }
        for one in replicas
    ]
