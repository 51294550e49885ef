"""What one step of a replica takes: a line through two measurements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import Struct

MOST_SEQUENCES: Final = 1024
"""The most sequences that one replica has at once."""


class StepCost(Struct, frozen=True, gc=False):
    """The seconds of a step with n sequences decoding and p prompt tokens prefilled in it:

        T(n, p) = base + per_sequence · n + per_prefill_token · p

    ``max_sequences`` run at once at most, and a step prefills no more than ``prefill_tokens``.
    The form is that of vLLM's workload-variant autoscaler, which validated it on seven
    accelerators.
    """

    base: float
    per_sequence: float
    per_prefill_token: float
    max_sequences: int
    prefill_tokens: int

    def step(self, decoding: int, tokens: float) -> float:
        """T(decoding, tokens). Where two sequences take more than twice as long as one, ``base``
        is negative; no step is."""
        alone = max(self.base + self.per_sequence * decoding, 0.0)
        return alone + self.per_prefill_token * tokens


@dataclass(frozen=True, slots=True)
class Load:
    """How a model's latency depends on what else its replicas do.

    ``itl_at`` are a number of sequences above 1 and the inter-token latency (seconds) with so
    many; None where it is the same as with one.
    """

    itl_at: tuple[int, float] | None = None
    max_sequences: int = 256
    prefill_tokens_per_step: int = 2048
    replicas: int = 1

    def cost(self, itl: float, per_prefill_token: float) -> StepCost:
        """The cost of a step, where one sequence alone has the inter-token latency ``itl``:
        the line through (1, itl) and ``itl_at``."""
        slope = 0.0
        if self.itl_at is not None:
            sequences, there = self.itl_at
            slope = max(there - itl, 0.0) / (sequences - 1)
        return StepCost(
            itl - slope,
            slope,
            per_prefill_token,
            self.max_sequences,
            self.prefill_tokens_per_step,
        )


class Replicas(Struct, frozen=True, gc=False):
    """A model's replicas: how many, what a step costs, and how long one takes with one sequence,
    in seconds."""

    count: int
    cost: StepCost
    step: float
