"""An answer comes slowly, or in small pieces that have nothing to do with its frames."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from llmsim.core import Plan, Reached, Seconds
from llmsim.core.faults import Trickle
from llmsim.engine.due import StretchedTimes
from llmsim.engine.faults.fault_context import FaultContext, FrameList, frame_list


def apply(plan: Plan, context: FaultContext, fault: Trickle) -> Plan:
    """All after the first token stretched in time, and dribbled out where the fault says so."""
    stretched = StretchedTimes(plan.due, plan.ttft, fault.factor)
    if fault.bytes is None:
        return structs.replace(plan, due=stretched, total=stretched[-1])
    # Pieces of a few bytes each are there as a whole: how many there are says only the text.
    frames = frame_list(plan)
    pieces, due = _dribbled(frames, stretched[:], fault.bytes, fault.every)
    length = None if plan.stream else len(plan.frames[0])
    reached = None if plan.reached is None else _reached(plan.reached, frames, fault.bytes)
    return structs.replace(
        plan,
        frames=FrameList(pieces),
        due=due,
        total=float(due[-1]),
        length=length,
        reached=reached,
    )


def _dribbled(
    frames: list[bytes], due: Seconds, size: int, every: float
) -> tuple[list[bytes], Seconds]:
    """Pieces of at most ``size`` bytes, ``every`` seconds apart or more, and when they are due."""
    pieces: list[bytes] = []
    times: list[float] = []
    for frame, at in zip(frames, due.tolist(), strict=True):
        cut = [frame[start : start + size] for start in range(0, len(frame), size)] or [frame]
        pieces += cut
        times += [at] * len(cut)
    steps = np.arange(len(pieces)) * every
    return pieces, np.maximum.accumulate(np.array(times) - steps) + steps


def _reached(reached: Reached, frames: list[bytes], size: int) -> list[int]:
    """How many tokens the client has with each piece: those of a frame with its last one."""
    made: list[int] = []
    before = 0
    for index, frame in enumerate(frames):
        made += [before] * (max(1, -(-len(frame) // size)) - 1)
        before = reached[index]
        made.append(before)
    return made
