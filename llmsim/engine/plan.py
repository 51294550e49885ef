"""From a request to a plan: frames and the times at which they are due."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from msgspec import structs

from llmsim.core import (
    Codec,
    Completion,
    Due,
    Frames,
    Numbering,
    Plan,
    Reached,
    Request,
    Stamp,
    StreamCodec,
    StreamScript,
)
from llmsim.core.errors import Failure
from llmsim.core.faults import Fault
from llmsim.core.load.sequence_plan import SequencePlan, sequence_plan
from llmsim.core.load.step_cost import Replicas
from llmsim.engine.compose import ModelSettings, PlanInputs, compose
from llmsim.engine.due import BeatTimes, InterleavedTimes
from llmsim.engine.effort import TakesLong
from llmsim.engine.faults import apply
from llmsim.engine.faults.fault_context import FaultContext, ReachedOfChoices, ReachedTokens
from llmsim.engine.keepalive import EVERY, kept_alive
from llmsim.engine.mocks.rendered import with_usage
from llmsim.engine.overrides import NO_OVERRIDES, ResponseOverrides
from llmsim.engine.seeds import mix
from llmsim.engine.tasks.dispatch import lengthy, perform
from llmsim.engine.timing import ChoiceClocks, Draws, PacedClock, TokenArrivals, TokenClock, span
from llmsim.engine.tokens import prompt_cache

# Salts a request's seed for the clocks of its choices.
CLOCK = 1000
AT_ONCE = np.zeros(1)


class WholeFrame:
    """One frame: a plain answer."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int, /) -> bytes:
        return (self._body,)[index]

    def join(self, start: int, stop: int) -> bytes:
        return self._body if start <= 0 < stop else b""

    def reorder(self, order: Numbering) -> Frames:
        return self


def plan(
    request: Request, settings: ModelSettings, inputs: PlanInputs, codec: Codec, stamp: Stamp
) -> Plan:
    """The answer to ``request`` in ``codec``, and when each frame of it is due.

    A pure function: the same arguments give the same plan in every process. Raises BadRequest
    when the request cannot be answered with ``settings``, and TakesLong.
    """
    task = request.task
    if task is not None and not inputs.patient and lengthy(request, task):
        raise TakesLong
    completion = (
        compose(request, settings, inputs)
        if task is None
        else perform(request, task, settings, inputs)
    )
    mock = inputs.overrides.mock
    if mock is not None and mock.usage is not None:
        completion = with_usage(completion, mock.usage)
    made = timed(request, completion, settings, inputs.seed, codec, stamp, inputs.overrides)
    if settings.replicas is None or task is not None or not completion.choices:
        return made
    return structs.replace(
        made, sequence=_sequence(request.model, settings.replicas, settings.draws, made)
    )


def _sequence(model: str, replicas: Replicas, draws: Draws, made: Plan) -> SequencePlan:
    """What the answer asks of a replica of its model."""
    assert made.completion is not None
    usage, choices = made.completion.usage, made.completion.choices
    hidden = max(choice.hidden for choice in choices)
    unseen = draws.reasoning / replicas.step
    others: tuple[float, ...] = ()
    if len(choices) > 1:  # the longest is the answer's own
        steps = sorted(choice.hidden * unseen + max(choice.beats - 1, 0) for choice in choices)
        others = tuple(steps[:-1])
    return sequence_plan(
        model,
        replicas.count,
        replicas.cost,
        replicas.step,
        usage.prompt - usage.cached,
        hidden * unseen,
        (draws.accept, made.ttft, made.total),
        others,
    )


def timed(
    request: Request,
    completion: Completion,
    settings: ModelSettings,
    seed: int,
    codec: Codec,
    stamp: Stamp,
    overrides: ResponseOverrides = NO_OVERRIDES,
) -> Plan:
    """The plan of a completion that is known; ``seed`` decides when each token exists."""
    fault = overrides.fault
    if not request.stream:
        whole = _plain(request, completion, settings, seed, codec, stamp, overrides)
        return whole if fault is None else _faulty(whole, None, request, codec, stamp, fault)
    # A request asks for a stream only where its codec writes them.
    script = cast("StreamCodec", codec).script(request, completion, stamp)
    clock = _clock(settings, seed, completion)
    if overrides is not NO_OVERRIDES:
        clock = PacedClock(clock, overrides.waited, overrides.delay, overrides.pace)
    made = on_clock(script, completion, clock, seed)
    longest = settings.draws.longest * overrides.pace
    if fault is not None:
        made = _faulty(made, made.reached, request, codec, stamp, fault)
        longest = math.inf
    if not script.keepalive or max(longest, clock.first - clock.accept) <= EVERY:
        return made
    return kept_alive(made, script.keepalive, longest)


def on_clock(script: StreamScript, completion: Completion, clock: TokenClock, seed: int) -> Plan:
    """A stream whose tokens exist when ``clock`` says."""
    frames, due = _in_order(script, clock, len(completion.choices))
    reached = _reached(script, clock, completion)
    return Plan(
        *(200, frames, due, True, clock.first, clock.last, seed, completion), reached=reached
    )


def _plain(
    request: Request,
    completion: Completion,
    settings: ModelSettings,
    seed: int,
    codec: Codec,
    stamp: Stamp,
    overrides: ResponseOverrides,
) -> Plan:
    """An answer that is not streamed."""
    whole = WholeFrame(codec.plain(request, completion, stamp))
    if (settings.draws.instant and overrides is NO_OVERRIDES) or not completion.choices:
        return Plan(200, whole, AT_ONCE, False, 0.0, 0.0, seed, completion)
    ttft, total = _span(settings, seed, completion)
    if overrides is not NO_OVERRIDES:
        decoding = (total - ttft) * overrides.pace
        ttft = overrides.waited + ttft * overrides.delay
        total = ttft + decoding
    return Plan(200, whole, np.array([total]), False, ttft, total, seed, completion)


def _in_order(script: StreamScript, clock: TokenClock, choices: int) -> tuple[Frames, Due]:
    """The frames in the order of time, and when each is due."""
    due = BeatTimes(script.beats, clock)
    if choices == 1:
        return script.frames, due
    if not script.parts:
        order = np.argsort(due[:], kind="stable")
        return script.frames.reorder(order), due[:][order]
    interleaved = InterleavedTimes(due, script.parts)
    return script.frames.reorder(interleaved.order), interleaved


def _reached(script: StreamScript, clock: TokenClock, completion: Completion) -> Reached:
    """How many tokens have left with each frame."""
    choices = completion.choices
    if len(choices) == 1:
        return ReachedTokens(script.beats, choices[0].beats)
    count = sum(choice.beats for choice in choices)
    return ReachedOfChoices(script.beats, clock, count)


def _faulty(
    whole: Plan, reached: Reached | None, request: Request, codec: Codec, stamp: Stamp, fault: Fault
) -> Plan:
    """The plan of an answer in which something goes wrong."""
    completion = whole.completion
    assert completion is not None
    tokens = sum(choice.tokens for choice in completion.choices)

    def error_event(failure: Failure, sent: int) -> bytes:
        return cast("StreamCodec", codec).error_event(request, completion, failure, stamp, sent)

    known = np.zeros(1, np.int64) if reached is None else reached
    return apply(whole, FaultContext(tokens, known, error_event, request.polled), fault)


def _span(settings: ModelSettings, seed: int, completion: Completion) -> tuple[float, float]:
    """When the first and the last token of the completion exist: of all choices, the latest."""
    draws, choices, used = settings.draws, completion.choices, completion.usage
    uncached = used.prompt - used.cached
    scale = _scale(draws, completion) if used.cached else 1.0
    first = choices[0]
    work = draws.work(uncached, first.hidden)
    ttft, total = span(draws, first.tokens, mix(seed, CLOCK), scale, work)
    for index in range(1, len(choices)):
        choice = choices[index]
        work = draws.work(uncached, choice.hidden)
        begins, ends = span(draws, choice.tokens, mix(seed, CLOCK + index), scale, work)
        ttft, total = min(ttft, begins), max(total, ends)
    return ttft, total


def _clock(settings: ModelSettings, seed: int, completion: Completion) -> TokenClock:
    """When each beat of the completion falls, all choices one after another.

    All choices begin together; reasoning that is not shown precedes the first token.
    """
    draws, choices, used = settings.draws, completion.choices, completion.usage
    uncached = used.prompt - used.cached
    scale = _scale(draws, completion) if used.cached else 1.0
    if len(choices) == 1:
        work = draws.work(uncached, choices[0].hidden)
        return TokenArrivals(draws, choices[0].beats, mix(seed, CLOCK), scale, work)
    clocks = [
        TokenArrivals(
            draws,
            choice.beats,
            mix(seed, CLOCK + index),
            scale,
            draws.work(uncached, choice.hidden),
        )
        for index, choice in enumerate(choices)
    ]
    return ChoiceClocks(clocks, [choice.beats for choice in choices])


def _scale(draws: Draws, completion: Completion) -> float:
    """The factor on the drawn time to first token for a cached prompt. Where prompts have a time
    of their own, what is cached takes none of that, and the rest is as it is."""
    return 1.0 if draws.prefill else prompt_cache.scale(completion.usage)


def failed(failure: Failure, status: int, body: bytes) -> Plan:
    """A failure in place of an answer, due when ``failure.after`` says."""
    after = failure.after
    due = np.array([after]) if after else AT_ONCE
    return Plan(status, WholeFrame(body), due, False, 0.0, after, 0, failure=failure)
