"""An answer stops for a while and then goes on."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from llmsim.core import Plan
from llmsim.core.faults import Stall
from llmsim.engine.due import StalledTimes
from llmsim.engine.faults.fault_context import FaultContext, FrameList

HALF = 0.5


def apply(plan: Plan, context: FaultContext, fault: Stall) -> Plan:
    """All from the place of the fault on comes later."""
    after = fault.after.share(HALF)
    if plan.stream:
        start = context.frame(after)
        due = StalledTimes(plan.due, start, fault.lasts)
        return structs.replace(plan, due=due, ttft=_ttft(plan, start, fault), total=due[-1])
    body, total = plan.frames[0], plan.total + fault.lasts
    split = context.part(after, len(body))
    if not split:
        return structs.replace(plan, due=StalledTimes(plan.due, 0, fault.lasts), total=total)
    return structs.replace(
        plan,
        frames=FrameList([body[:split], body[split:]]),
        due=np.array([plan.due[0], plan.due[0] + fault.lasts]),
        total=total,
        length=len(body),
    )


def _ttft(plan: Plan, start: int, fault: Stall) -> float:
    """The time to first token, which is later where no token left before the fault."""
    return plan.ttft if start and plan.due[start - 1] >= plan.ttft else plan.ttft + fault.lasts
