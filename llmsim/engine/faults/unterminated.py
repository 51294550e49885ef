"""A stream that lacks the event that ends it."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import Plan
from llmsim.core.faults import Unterminated
from llmsim.engine.faults.fault_context import BROKEN, FaultContext, edited


def apply(plan: Plan, context: FaultContext, fault: Unterminated) -> Plan:
    """All but the last frame; of a plain answer, all but its last byte."""
    stop = len(plan.frames) - 1
    if stop:
        part = edited(plan, stop)
    else:
        part = edited(plan, 1, {0: b"" if plan.stream else plan.frames[0][:-1]})
    return structs.replace(part, failure=BROKEN)
