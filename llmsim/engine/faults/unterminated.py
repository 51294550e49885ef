"""A stream that lacks the event that ends it."""

from __future__ import annotations

from msgspec import structs

from llmsim.config.faults import Unterminated as Fault
from llmsim.engine.faults.told import BROKEN, Listed, Told, listed
from llmsim.exchange import Plan


def strike(plan: Plan, told: Told, fault: Fault) -> Plan:
    """All but the last frame; of a plain answer, all but its last byte."""
    frames = listed(plan)
    frames = frames[:-1] or ([b""] if plan.stream else [frames[0][:-1]])
    due = plan.due[: len(frames)]
    return structs.replace(plan, frames=Listed(frames), due=due, failure=BROKEN)
