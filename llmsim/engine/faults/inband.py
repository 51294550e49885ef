"""A stream that ends with the provider's own error event."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import Plan
from llmsim.core.errors import FailureKind
from llmsim.core.faults import ErrorEvent
from llmsim.engine.faults.fault_context import FaultContext, edited
from llmsim.engine.faults.injection import failure

HALF = 0.5
PARTS = 1_000_000


def apply(plan: Plan, context: FaultContext, fault: ErrorEvent) -> Plan:
    """The error event in place of the rest. A plain answer, which can not hold one, is whole; one
    that the client comes back for fails at that time, before its frame was due."""
    failed = failure(FailureKind(fault.kind))
    if context.polled:
        share = context.part(fault.after.share(HALF), PARTS) / PARTS
        total = plan.ttft + (plan.total - plan.ttft) * share
        return structs.replace(plan, total=total, failure=failed)
    stop = context.frame(fault.after.share(HALF))
    event = context.error_event(failed, stop) if plan.stream else b""
    if not event:
        return plan
    part = edited(plan, stop + 1, {stop: event})
    return structs.replace(part, total=float(part.due[-1]), failure=failed)
