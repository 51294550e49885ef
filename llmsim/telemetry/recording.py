"""How recording goes, over all workers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from prometheus_client.metrics_core import Metric

from llmsim.state.shm.layout import RECORDING, RECORDING_BYTES, RECORDINGS, RECORDINGS_LOST
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.families import counter, gauge, one


def recording_state(all_counters: Iterable[WorkerCounters]) -> dict[str, Any] | None:
    """What was written, in recordings and bytes, and what was lost; how many workers record, how
    many of them have had to stop, and why. None if nothing is recorded."""
    counted = [one for one in all_counters if one.owners]
    states = [one.cells[RECORDING] for one in counted if one.pid and one.cells[RECORDING]]
    if not states:
        return None
    errors = [state - 1 for state in states if state > 1]
    return {
        "recordings": sum(one.cells[RECORDINGS] for one in counted),
        "bytes": sum(one.cells[RECORDING_BYTES] for one in counted),
        "lost": sum(one.cells[RECORDINGS_LOST] for one in counted),
        "workers": len(states),
        "stopped": len(errors),
        "problem": os.strerror(errors[0]) if errors else None,
    }


def families(state: dict[str, Any] | None) -> Iterator[Metric]:
    """The same as metrics; none where nothing is recorded."""
    if state is None:
        return
    none: Sequence[str] = ()
    yield counter(
        "llmsim_recordings", "Recorded exchanges with services.", none, one(state["recordings"])
    )
    yield counter(
        "llmsim_recording_bytes",
        "Bytes of recordings written, before they are compressed.",
        none,
        one(state["bytes"]),
    )
    yield counter(
        "llmsim_recordings_lost",
        "Exchanges that could not be recorded: the folder took none, or too many waited.",
        none,
        one(state["lost"]),
    )
    yield gauge(
        "llmsim_recording_stopped",
        "Workers that record nothing now as the folder takes none, as when the disk is full.",
        none,
        one(state["stopped"]),
    )
