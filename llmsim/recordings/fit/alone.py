"""Times as they would be for a request that has the engine for itself.

What prefill takes is seen in times to first token once it is known what steps take, and what steps
take in times between tokens once it is known when others were prefilled. So each is fitted with
what is known of the other, in turn.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmsim.core.load.step_cost import Load
from llmsim.recordings.fit.load import (
    LoadFit,
    Steps,
    Unidentified,
    load,
    most_sequences,
    without_prefill,
)
from llmsim.recordings.fit.observed import FirstTokens, Gaps, Observed, Values
from llmsim.recordings.fit.occupancy import INSTANT, Occupancy, PromptCost
from llmsim.recordings.fit.prefill import Prefill, prefill

ENOUGH: Final = 50
"""Samples of a half without any load that are enough to do without all others."""

QUIET: Final = 0.25
"""The share of samples with the least load, which stand in where there are not."""

ROUNDS: Final = 3
"""How often prefill and steps are fitted in turn."""

LONGEST: Final = 0.99
"""The share of times to first token without load: who waits longer waits for others."""

BUDGET: Final = Load().prefill_tokens_per_step
"""Tokens that are prefilled in a step: llmsim's default, as no trace tells it."""


class Alone(NamedTuple):
    """Samples of one half, each of shape (samples,): output tokens; uncached tokens of the prompt
    with the time to first token, and this less what the prompt takes (``rest``); times between
    tokens."""

    output_tokens: Values
    uncached: Values
    ttft: Values
    rest: Values
    itl: Values


class Engine(NamedTuple):
    """What prefill and steps take, and both halves without it: fitted and judging."""

    prefill: Prefill | None
    load: LoadFit | Unidentified
    fitted: Alone
    judged: Alone


def engine(fitted: Observed, judged: Observed, occupancy: Occupancy) -> Engine:
    """Fit what prefill and steps take to one half, and judge it by the other."""
    both = (fitted, judged)
    found: LoadFit | Unidentified = Unidentified("")
    usual = float(fitted.gaps.itl.mean()) if fitted.gaps.itl.size else 0.0
    for _ in range(ROUNDS):
        known = found.prefill if isinstance(found, LoadFit) else None
        first = [_first(half.first, occupancy, found, usual) for half in both]
        prompts = prefill(*first[0], *first[1], known)
        steps = [_steps(half.gaps, occupancy, prompts, found) for half in both]
        found = load(steps[0], steps[1], prompts.slope if prompts else None)
        if isinstance(found, Unidentified):
            break
    per_token = prompts.per_token if prompts else 0.0
    alone = [
        Alone(
            half.output_tokens,
            tokens,
            ttft,
            np.maximum(ttft - per_token * tokens, 0.0),
            _unloaded(each, found)[_quiet(occupancy, half.gaps.middle, each.sequences)],
        )
        for half, (tokens, ttft), each in zip(both, first, steps, strict=True)
    ]
    if isinstance(found, LoadFit) and alone[0].rest.size:
        longest = float(np.quantile(alone[0].rest, LONGEST))
        waiting = np.concatenate(
            [_waiting(half.first, occupancy, per_token, longest, found) for half in both]
        )
        found = found._replace(max_sequences=most_sequences(waiting, steps[0].sequences))
    return Engine(prompts, found, *alone)


def _first(
    seen: FirstTokens, occupancy: Occupancy, found: LoadFit | Unidentified, usual: float
) -> tuple[Values, Values]:
    """Uncached tokens and times to first token of the requests that met the least load, less their
    hidden reasoning: one of its tokens takes as long as one that is shown."""
    quiet = _quiet(occupancy, seen.arrived, seen.in_flight)
    tokens, ttft, hidden = seen.uncached[quiet], seen.ttft[quiet], seen.hidden[quiet]
    if isinstance(found, Unidentified):
        return tokens, np.maximum(ttft - hidden * usual, 0.0)
    others = occupancy.decoding(seen.arrived[quiet] + ttft - INSTANT)
    step = found.step(others)
    # It waits for half a step of the others, and is prefilled in whole ones.
    steps = PromptCost(0.0, BUDGET).steps(tokens) + np.where(others > 0, 0.5, 0.0) + hidden
    return tokens, np.maximum(ttft - steps * step + found.step(np.ones(1)), 0.0)


def _quiet(occupancy: Occupancy, at: Values, in_flight: Values) -> NDArray[np.bool_]:
    """Which samples had no other request beside them, or the least."""
    beside = np.maximum(occupancy.open(at), in_flight)
    alone = beside <= 1
    if alone.sum() >= ENOUGH or not beside.size:
        return alone
    quiet: NDArray[np.bool_] = beside <= np.quantile(beside, QUIET)
    return quiet


def _steps(
    seen: Gaps, occupancy: Occupancy, prompts: Prefill | None, found: LoadFit | Unidentified
) -> Steps:
    """What was done in the time between tokens. What a step takes is needed to tell when prompts
    were prefilled; at first it is not known."""
    ended = seen.began + seen.lasted
    missing = np.maximum(seen.in_flight - occupancy.open(ended - INSTANT), 0.0)
    sequences = occupancy.decoding(seen.middle) + missing
    if prompts is None or not seen.itl.size:
        return Steps(sequences, np.zeros_like(seen.itl), seen.itl)
    usual = float(np.median(seen.itl))
    step = found.step if isinstance(found, LoadFit) else lambda n: np.full(n.shape, usual)
    prefilled = occupancy.prefilled(PromptCost(prompts.per_token, BUDGET), step)
    return Steps(sequences, (prefilled(ended) - prefilled(seen.began)) / seen.tokens, seen.itl)


def _unloaded(steps: Steps, found: LoadFit | Unidentified) -> Values:
    """Times between tokens as they would be with one sequence, and no prefill."""
    if isinstance(found, Unidentified):
        return steps.itl
    alone = found.step(np.ones(1))
    return without_prefill(steps, found) * alone / found.step(np.maximum(steps.sequences, 1.0))


def _waiting(
    seen: FirstTokens, occupancy: Occupancy, per_token: float, longest: float, found: LoadFit
) -> Values:
    """How many sequences decoded while requests waited for others: for each of these, once."""
    most = found.levels[-1][0]
    alone = longest + per_token * seen.uncached + 2 * found.step(np.full(1, float(most)))
    waited = seen.ttft > alone
    return occupancy.decoding((seen.arrived + (alone + seen.ttft) / 2)[waited])
