"""The connection closes in the middle of an answer."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import ConnectionEnd, Plan
from llmsim.core.faults import Cut, FaultPoint
from llmsim.engine.faults.fault_context import BROKEN, FaultContext, edited

HALF = 0.5


def apply(plan: Plan, context: FaultContext, fault: Cut) -> Plan:
    """What comes before the place of the fault, and then nothing."""
    return broken(plan, context, fault.after.share(HALF), ConnectionEnd.CUT)


def broken(plan: Plan, context: FaultContext, after: FaultPoint, ending: ConnectionEnd) -> Plan:
    """The plan up to a place in it. At least the head of the response is sent."""
    length = None
    if plan.stream:
        stop = context.frame(after)
        part = edited(plan, stop) if stop else edited(plan, 1, {0: b""})
    else:
        body = plan.frames[0]
        length = len(body)
        part = edited(plan, 1, {0: body[: context.part(after, length)]})
    return structs.replace(
        part, total=float(part.due[-1]), failure=BROKEN, ending=ending, length=length
    )
