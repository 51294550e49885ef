"""Traffic of a configured model, played by llmsim's own timing on a clock of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from llmsim import config
from llmsim.core.load.sequence_plan import SequencePlan, sequence_plan
from llmsim.core.load.step_clock import NEVER
from llmsim.engine.compose import ModelSettings
from llmsim.engine.timing import TokenArrivals
from llmsim.recordings.traces.row import TraceRow
from llmsim.runtime.model_settings import ModelRegistry
from tests.core.load.replica import Played

MODEL = "m"
Times = NDArray[np.float64]


def settings(document: Mapping[str, Any], folder: Path) -> ModelSettings:
    """Those of the model under this configuration."""
    file = folder / "played.yaml"
    file.write_text(yaml.safe_dump(dict(document)))
    return ModelRegistry(config.load(str(file), {}, {})).settings(MODEL)


def prompts(count: int) -> NDArray[np.int64]:
    """Lengths of prompts: a median of 400 tokens."""
    return np.maximum(np.random.default_rng(23).lognormal(6.0, 1.0, count).astype(np.int64), 1)


def traffic(model: ModelSettings, arrivals: Times) -> list[TraceRow]:
    """The requests that arrive then, as a proxy in front of the model sees them."""
    lengths = model.lengths or [model.target_tokens]
    asked = prompts(arrivals.size)
    times = []
    for seed, prompt in enumerate(asked.tolist()):
        tokens = lengths[seed % len(lengths)]
        clock = TokenArrivals(model.draws, tokens, seed, work=model.draws.work(prompt, 0))
        times.append(clock.row(0, tokens))
    if model.replicas is not None:
        times = _stepped(model, arrivals, asked.tolist(), times)
    else:
        times = [one + at for one, at in zip(times, arrivals, strict=True)]
    ends = np.sort([one[-1] for one in times])

    def in_flight(at: Times) -> NDArray[np.int64]:
        begun = np.searchsorted(arrivals, at, "right")
        found: NDArray[np.int64] = np.maximum(begun - np.searchsorted(ends, at, "left"), 1)
        return found

    return [
        TraceRow(
            arrived=float(at),
            model=MODEL,
            prompt_tokens=int(prompt),
            output_tokens=one.size,
            ttft=float(one[0] - at),
            total=float(one[-1] - at),
            gaps=tuple(np.diff(one).tolist()),
            gap_tokens=(1,) * (one.size - 1),
            in_flight=int(in_flight(np.array([at]))[0]),
            gap_in_flight=tuple(in_flight(one[1:]).tolist()),
        )
        for at, prompt, one in zip(arrivals, asked, times, strict=True)
    ]


def _stepped(
    model: ModelSettings, arrivals: Times, asked: list[int], alone: list[Times]
) -> list[Times]:
    """The times of answers that share a replica."""
    assert model.replicas is not None
    cost, step, accept = model.replicas.cost, model.replicas.step, model.draws.accept
    plans = [
        sequence_plan(MODEL, 1, cost, step, prompt, 0.0, (accept, one[0], one[-1]))
        for prompt, one in zip(asked, alone, strict=True)
    ]
    clock = Played(cost)
    waiting: dict[int, SequencePlan] = {}
    firsts: dict[int, float] = {}

    def move(until: float) -> None:
        while clock.change != NEVER and clock.time_of(clock.change) <= until:
            clock.advance(clock.time_of(clock.change))
            for ticket in list(takewhile(lambda one: one < clock.head, waiting)):
                first = clock.first(ticket, waiting[ticket].steps)
                if first is not None:
                    firsts[ticket] = first
                    del waiting[ticket]

    begins = arrivals + [one.begins for one in plans]
    tickets = {}
    for place in np.argsort(begins).tolist():
        at = float(begins[place])
        move(at)
        if clock.change == NEVER:
            clock.lines.append((float(math.ceil(clock.steps)), at))
        ticket = clock.join(at, 0, plans[place].prompt, plans[place].steps)
        assert ticket is not None
        waiting[ticket], tickets[place] = plans[place], ticket
    move(NEVER)
    made = []
    for place, one in enumerate(alone):
        steps = firsts[tickets[place]] + (one - one[0]) / step
        made.append(np.array(clock.times(steps)))
    return made
