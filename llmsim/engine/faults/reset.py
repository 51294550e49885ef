"""The connection is reset: before the first byte of an answer, or in its middle."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import ConnectionEnd, Plan
from llmsim.core.faults import FaultPoint, Reset
from llmsim.engine.faults import cut
from llmsim.engine.faults.fault_context import BROKEN, FaultContext, FrameList


def apply(plan: Plan, context: FaultContext, fault: Reset) -> Plan:
    """What comes before the place of the fault; without a place, not even the head."""
    if fault.after != FaultPoint():
        return cut.broken(plan, context, fault.after, ConnectionEnd.RESET)
    first = plan.due[:1]
    return structs.replace(
        plan,
        frames=FrameList([b""]),
        due=first,
        total=float(first[0]),
        failure=BROKEN,
        ending=ConnectionEnd.UNANSWERED,
        length=0,
    )
