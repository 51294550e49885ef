"""What goes wrong in the middle of an answer: one module a fault.

Each has ``apply(plan, context, fault)``, which gives the plan with that fault in it. Which request
gets one, or fails before it is answered, is decided by :mod:`llmsim.engine.faults.injection` and
:mod:`llmsim.engine.faults.timetable`.
"""

from __future__ import annotations

from typing import assert_never

from llmsim.core import Plan
from llmsim.core.faults import (
    ContentFilter,
    Cut,
    ErrorEvent,
    Fault,
    Malformed,
    Reset,
    Stall,
    Trickle,
    Unterminated,
)
from llmsim.engine.faults import cut, inband, malformed, reset, stall, trickle, unterminated
from llmsim.engine.faults.fault_context import FaultContext


def apply(plan: Plan, context: FaultContext, fault: Fault) -> Plan:  # noqa: PLR0911  one return a fault
    """The plan with a fault in it. What is sent to nobody can only fail."""
    if context.polled and not isinstance(fault, ErrorEvent):
        return plan
    match fault:
        case Cut():
            return cut.apply(plan, context, fault)
        case Stall():
            return stall.apply(plan, context, fault)
        case Trickle():
            return trickle.apply(plan, context, fault)
        case Malformed():
            return malformed.apply(plan, context, fault)
        case Reset():
            return reset.apply(plan, context, fault)
        case Unterminated():
            return unterminated.apply(plan, context, fault)
        case ErrorEvent():
            return inband.apply(plan, context, fault)
        case ContentFilter():  # the pipeline decides on it before there is a plan
            return plan
        case _:
            assert_never(fault)
