"""One frame of an answer is no valid JSON."""

from __future__ import annotations

from msgspec import structs

from llmsim.core import Plan
from llmsim.core.faults import Malformed
from llmsim.engine.faults.fault_context import BROKEN, FaultContext, edited

HALF = 0.5
BETWEEN = b"\r\n,]"
"""What may stand after a message of a stream."""


def apply(plan: Plan, context: FaultContext, fault: Malformed) -> Plan:
    """The frame at the place of the fault lacks the end of its message."""
    frames = plan.frames
    place = min(context.frame(fault.after.share(HALF)), len(frames) - 1)
    # What ends a stream may hold no JSON at all.
    while place and b"{" not in frames[place]:
        place -= 1
    made = edited(plan, len(frames), {place: spoiled(frames[place])})
    return structs.replace(made, failure=BROKEN)


def spoiled(frame: bytes) -> bytes:
    """A frame whose last message is broken off half-way, and ends like any other."""
    message = frame.rstrip(BETWEEN)
    start = message.rfind(b"\n") + 1
    start += max(message[start:].find(b"{"), 0)
    kept = max(start + 1, (start + len(message)) // 2)
    return message[:kept] + frame[len(message) :]
