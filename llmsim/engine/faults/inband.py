"""A stream that ends with the provider's own error event."""

from __future__ import annotations

from msgspec import structs

from llmsim.config.faults import ErrorEvent as Fault
from llmsim.engine.faults.told import Listed, Told, listed
from llmsim.engine.injection import failure
from llmsim.errors import Kind
from llmsim.exchange import Plan

HALF = 0.5


def strike(plan: Plan, told: Told, fault: Fault) -> Plan:
    """The error event in place of the rest. A plain answer, which can not hold one, is whole."""
    stop = told.frame(fault.after.share(HALF))
    failed = failure(Kind(fault.kind))
    event = told.spell(failed, stop) if plan.stream else b""
    if not event:
        return plan
    frames = [*listed(plan)[:stop], event]
    due = plan.due[: len(frames)]
    return structs.replace(
        plan,
        frames=Listed(frames),
        due=due,
        total=float(due[-1]),
        failure=failed,
    )
