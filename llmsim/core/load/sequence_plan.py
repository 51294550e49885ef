"""What an answer asks of a replica, before it is known when the replica has time for it."""

from __future__ import annotations

from msgspec import Struct

from llmsim.core.load.step_cost import StepCost


class SequencePlan(Struct, frozen=True, gc=False):
    """A planned answer as a sequence of a replica.

    It joins one of the model's ``replicas`` ``begins`` seconds after its request's arrival, has
    ``prompt`` tokens prefilled, makes ``hidden`` steps that nobody sees, and then its tokens. The
    plan's own times count as if it were alone: a step for each ``step`` seconds after ``ttft``.
    ``steps`` lie between the first token, hidden ones included, and the last. The answer's further
    choices are sequences of their own, which continue the same prompt: ``others`` are their steps.
    """

    model: str
    replicas: int
    cost: StepCost
    begins: float
    prompt: int
    hidden: float
    ttft: float
    step: float
    steps: float
    others: tuple[float, ...] = ()

    def steps_to(self, due: float) -> float:
        """How many steps after the prefill what the plan has ``due`` leaves."""
        return self.hidden + (due - self.ttft) / self.step


def sequence_plan(
    model: str,
    replicas: int,
    cost: StepCost,
    step: float,
    prompt: int,
    hidden: float,
    times: tuple[float, float, float],
    others: tuple[float, ...] = (),
) -> SequencePlan:
    """The sequence of a plan with these ``times``: accept, TTFT and total, all after arrival.

    What its TTFT has beyond prefill, hidden steps and one step is overhead, and passes before it
    joins: so an answer that is alone takes as long as without a load model.
    """
    accept, ttft, total = times
    engine = cost.per_prefill_token * prompt + (hidden + 1) * step
    steps = hidden + (total - ttft) / step
    begins = max(ttft - engine, accept)
    return SequencePlan(model, replicas, cost, begins, prompt, hidden, ttft, step, steps, others)
