"""From what was joined to the report's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from llmsim.overhead.figures import Percentiles, difference, percentiles
from llmsim.overhead.joining import Joined
from llmsim.overhead.report import Added, Box, Retries, Side, SimulatorParts
from llmsim.overhead.splits import Split, column, splits

FEW: Final = 100
"""Timed requests below which a p99 is the worst request."""


@dataclass(slots=True)
class SideResult:
    """What one way has collected: requests joined with llmsim's, their times, how many were
    answered well, and the seconds over which they were answered and sent."""

    head_at_once: bool
    joined: list[Joined] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    answered: int = 0
    seconds: float = 0.0
    sending: float = 0.0

    def add(self, turn: Sequence[Joined]) -> None:
        """One turn."""
        if not turn:
            return
        self.joined += turn
        self.splits += splits(turn, self.head_at_once)
        self.answered += sum(one.seen.error is None for one in turn)
        self.seconds += turn_seconds(turn)
        dues = [one.seen.due for one in turn]
        self.sending += max(dues) - min(dues)

    @property
    def rate(self) -> float:
        return self.answered / self.seconds if self.seconds else 0.0

    def figure(self, name: str) -> Percentiles | None:
        return percentiles(column(self.splits, name))

    def plain_total(self) -> Percentiles | None:
        plain = [one for one in self.splits if one.ttft != one.ttft]
        return percentiles(column(plain, "total"))


def turn_seconds(turn: Sequence[Joined]) -> float:
    """From the first request of a turn to its last answer, less what an answer is planned to take:
    the seconds over which the requests were answered at their rate."""
    took = max(one.seen.end for one in turn) - min(one.seen.due for one in turn)
    planned = [record.planned.total_ms or 0.0 for one in turn for record in one.records[-1:]]
    return max(took - (median(planned) / 1e3 if planned else 0.0), 1e-3)


def side(found: SideResult) -> Side:
    matched = sum(bool(one.records) for one in found.joined)
    return Side(
        requests=len(found.joined),
        answered=found.answered,
        matched=matched,
        unmatched=len(found.joined) - matched,
        timed=len(found.splits),
        errors=errors(found),
        rate=round(found.rate, 3),
        new_connections=sum(one.seen.fresh for one in found.joined),
        ttft_ms=found.figure("ttft"),
        per_token_ms=found.figure("per_token"),
        total_ms=found.figure("total"),
        head_ms=found.figure("head"),
        way_in_ms=found.figure("way_in"),
        way_out_ms=found.figure("way_out"),
        time_per_output_token_ms=found.figure("per_output_token"),
        held_ms=found.figure("held"),
        plain_total_ms=found.plain_total(),
        simulator_late_ms=found.figure("simulator_late"),
        client_late_ms=found.figure("client_late"),
        tokens_per_read=found.figure("tokens_per_read"),
    )


def errors(found: SideResult) -> dict[str, int]:
    return dict(Counter(one.seen.error for one in found.joined if one.seen.error is not None))


def added(through: SideResult, direct: SideResult) -> Added:
    def of(name: str) -> Percentiles | None:
        return difference(column(through.splits, name), column(direct.splits, name))

    return Added(
        ttft_ms=of("ttft"),
        per_token_ms=of("per_token"),
        total_ms=of("total"),
        head_ms=of("head"),
        way_in_ms=of("way_in"),
        way_out_ms=of("way_out"),
        time_per_output_token_ms=of("per_output_token"),
        held_ms=of("held"),
    )


def simulator_parts(*sides: SideResult) -> SimulatorParts:
    rows = [row for one in sides for row in one.splits]
    return SimulatorParts(
        percentiles(column(rows, "simulator_arrival")),
        percentiles(column(rows, "simulator_hand_over")),
        percentiles(column(rows, "simulator_output")),
    )


def retries(found: SideResult) -> Retries:
    more = [one for one in found.joined if len(one.records) > 1]
    statuses = Counter(str(record.status) for one in more for record in one.records[:-1])
    return Retries(len(more), sum(statuses.values()), dict(statuses))


def box(through: SideResult, direct: SideResult, bound: float, busy: float | None) -> Box:
    """The machine's share at p99: what is late or takes time without the gateway, of all."""
    name = "ttft" if column(direct.splits, "ttft").size else "total"
    mine = [
        direct.figure(name),
        through.figure("simulator_late"),
        through.figure("client_late"),
    ]
    machine = sum(max(one.p99, 0.0) for one in mine if one is not None)
    gateway = difference(column(through.splits, name), column(direct.splits, name))
    whole = machine + (max(gateway.p99, 0.0) if gateway is not None else 0.0)
    share = machine / whole if whole else 1.0
    return Box(round(share, 4), bound, share > bound, busy)


def notes(through: SideResult, direct: SideResult, machine: Box) -> list[str]:
    """What limits the figures, in words."""
    found = []
    if machine.decides:
        found.append(
            f"The box decides: {machine.share:.0%} of the latency at p99 is this machine's (llmsim "
            f"late, client late, requests past the gateway), above {machine.bound:.0%}. What the "
            "gateway adds at p99 is not measured here; p50 may be."
        )
    if machine.busy is not None and machine.busy > 0.9:
        found.append(
            f"The processors of this machine were {machine.busy:.0%} busy: a gateway on it waited "
            "for them, too, which is in its figures."
        )
    for name, one in (("through the gateway", through), ("past the gateway", direct)):
        matched = sum(bool(each.records) for each in one.joined)
        if matched < len(one.joined):
            found.append(
                f"{len(one.joined) - matched} of {len(one.joined)} requests {name} are not in "
                "llmsim's journal: they never got there, a cache answered, or they are forgotten."
            )
        if len(one.splits) < FEW:
            found.append(
                f"Only {len(one.splits)} requests {name} are timed: p99 is about the worst of them."
            )
    retried = sum(len(each.records) > 1 for each in through.joined)
    if retried:
        found.append(f"{retried} requests that were retried upstream are counted and not timed.")
    return found
