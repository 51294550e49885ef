"""What goes wrong in the middle of an answer: one module a fault, each from a plan to a plan."""

from __future__ import annotations

from typing import assert_never

from llmsim.config.faults import (
    Cut,
    ErrorEvent,
    Fault,
    Malformed,
    Reset,
    Stall,
    Trickle,
    Unterminated,
)
from llmsim.core import Plan
from llmsim.engine.faults import cut, inband, malformed, reset, stall, trickle, unterminated
from llmsim.engine.faults.fault_context import FaultContext


def apply(plan: Plan, told: FaultContext, fault: Fault) -> Plan:  # noqa: PLR0911  one return a fault
    """The plan with a fault in it."""
    match fault:
        case Cut():
            return cut.strike(plan, told, fault)
        case Stall():
            return stall.strike(plan, told, fault)
        case Trickle():
            return trickle.strike(plan, told, fault)
        case Malformed():
            return malformed.strike(plan, told, fault)
        case Reset():
            return reset.strike(plan, told, fault)
        case Unterminated():
            return unterminated.strike(plan, told, fault)
        case ErrorEvent():
            return inband.strike(plan, told, fault)
        case _:
            assert_never(fault)
