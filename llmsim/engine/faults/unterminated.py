"""A stream that lacks the event that ends it."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import Plan
from llmsim.core.faults import Unterminated
from llmsim.engine.faults.fault_context import BROKEN, FaultContext, FrameList, frame_list


def apply(plan: Plan, context: FaultContext, fault: Unterminated) -> Plan:
    """All but the last frame; of a plain answer, all but its last byte."""
    frames = frame_list(plan)
    frames = frames[:-1] or ([b""] if plan.stream else [frames[0][:-1]])
    due = plan.due[: len(frames)]
    return structs.replace(plan, frames=FrameList(frames), due=due, failure=BROKEN)
