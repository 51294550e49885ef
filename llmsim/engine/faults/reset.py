"""The connection is reset: before the first byte of an answer, or in its middle."""

from __future__ import annotations

from msgspec import structs

from llmsim.config.faults import After
from llmsim.config.faults import Reset as Fault
from llmsim.engine.faults import cut
from llmsim.engine.faults.told import BROKEN, Listed, Told
from llmsim.exchange import Ending, Plan


def strike(plan: Plan, told: Told, fault: Fault) -> Plan:
    """What comes before the place of the fault; without a place, not even the head."""
    if fault.after != After():
        return cut.broken(plan, told, fault.after, Ending.RESET)
    first = plan.due[:1]
    return structs.replace(
        plan,
        frames=Listed([b""]),
        due=first,
        total=float(first[0]),
        failure=BROKEN,
        ending=Ending.UNANSWERED,
        length=0,
    )
