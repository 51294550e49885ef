"""Token buckets in whole numbers.

A bucket that refills by ``limit`` every ``period`` µs counts what was taken from it in shares: one
request, or one token, is ``period`` shares, and each microsecond gives ``limit`` of them back. So
no refill, however short, is ever rounded, and what is taken over any time is exact. The count is
of what is taken, not of what is left: 0 is a full bucket, so what is not remembered is unused.

    taken     0 ├───────────────┼───────────────┤ burst × period     (more, after a correction)
              full              │               empty
                                └─ gives back ``limit`` shares a µs, down to 0

    fits      taken + amount × period ≤ burst × period
    wait      ⌈(taken + (amount − burst) × period) / limit⌉ µs, none below 0
    reset     ⌈taken / limit⌉ µs

For example 3 requests a minute, burst 3, ``period`` 60,000,000. After three requests at once taken
is 180,000,000 and the next has to wait 20,000,000 µs, to the microsecond; looked at every 7 µs
meanwhile the count is the same as looked at once.

The arithmetic is here; who remembers counts, and how two processes take from one bucket, is
:mod:`llmsim.state.shm.rate_limit_buckets`.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from llmsim.core.errors import Measure

MINUTE: Final = 60_000_000
DAY: Final = 86_400_000_000
"""Periods, in µs."""

MOST: Final = 1 << 62
"""No count is more than this, either way: it has to fit into 64 bits."""

PERIODS: Final[dict[Measure, int]] = {
    Measure.REQUESTS: MINUTE,
    Measure.DAILY: DAY,
    Measure.TOKENS: MINUTE,
    Measure.INPUT: MINUTE,
    Measure.OUTPUT: MINUTE,
}

COUNTED: Final = tuple(PERIODS)
"""What the buckets of an account count, by their places in it."""

TOKENS: Final = frozenset({Measure.TOKENS, Measure.INPUT, Measure.OUTPUT})
"""Those that count tokens."""


class Bucket(Struct, frozen=True, gc=False):
    """``limit`` a period, of which ``burst`` may be taken at once after a rest."""

    limit: int
    burst: int
    period: int = MINUTE

    def refilled(self, taken: int, elapsed: int) -> int:
        """What counts as taken ``elapsed`` µs later."""
        left = taken - elapsed * self.limit
        return left if left > 0 else 0

    def fits(self, taken: int, amount: int) -> bool:
        """Whether ``amount`` more may be taken."""
        return not amount or taken + amount * self.period <= self.burst * self.period

    def remaining(self, taken: int) -> int:
        """How much may be taken at once, in whole requests or tokens."""
        left = self.burst * self.period - taken
        return left // self.period if left > 0 else 0

    def used(self, taken: int) -> int:
        """How much of the burst is taken, in whole requests or tokens."""
        return -(-taken // self.period)

    def wait(self, taken: int, amount: int) -> int | None:
        """µs until ``amount`` may be taken if nobody else takes any; None if it never fits."""
        if amount > self.burst:
            return None
        over = taken + (amount - self.burst) * self.period
        return -(-over // self.limit) if over > 0 else 0

    def reset(self, taken: int) -> int:
        """µs until the bucket is full if nobody takes any."""
        return -(-taken // self.limit)


def bounded(taken: int) -> int:
    """A count as it can be remembered."""
    return -MOST if taken < -MOST else MOST if taken > MOST else taken
