"""A stream that ends with the provider's own error event."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import Plan
from llmsim.core.errors import FailureKind
from llmsim.core.faults import ErrorEvent
from llmsim.engine.faults.fault_context import FaultContext, FrameList, frame_list
from llmsim.engine.faults.injection import failure

HALF = 0.5


def apply(plan: Plan, context: FaultContext, fault: ErrorEvent) -> Plan:
    """The error event in place of the rest. A plain answer, which can not hold one, is whole."""
    stop = context.frame(fault.after.share(HALF))
    failed = failure(FailureKind(fault.kind))
    event = context.error_event(failed, stop) if plan.stream else b""
    if not event:
        return plan
    frames = [*frame_list(plan)[:stop], event]
    due = plan.due[: len(frames)]
    return structs.replace(
        plan,
        frames=FrameList(frames),
        due=due,
        total=float(due[-1]),
        failure=failed,
    )
