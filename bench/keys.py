"""What callers under rate limits and counters by name cost in memory and time, with four workers.

python -m bench.keys
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Final

from llmsim.config import Config, Server
from llmsim.core.token_bucket import DAY, Bucket
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.rate_limit_buckets import RateLimitBuckets

STEPS: Final = (1_000, 10_000, 100_000, 1_000_000)
ONE: Final = (1, 1, 0, 0, 0)
DAILY: Final = ((1, Bucket(1, 1, DAY)),)


def come(buckets: RateLimitBuckets, number: int) -> None:
    """A caller's one request of the day, begun and ended."""
    label = (f"sk-…{number % 10_000:04d}", "gpt-*")
    account = buckets.account(f"rule\0sk-test-{number:07d}\0", "rule", label, DAILY, None)
    if buckets.take(account, ONE).refused is not None:
        raise AssertionError(f"caller {number} was refused")
    buckets.settle(account, None)


def memory(shared: SharedState) -> int:
    """Bytes of the shared memory that exist."""
    return os.stat(shared.segment.path).st_blocks * 512


def grow(shared: SharedState, what: str, add: Callable[[int], object]) -> None:
    """Add keys, and print at each step what they take together and each of the new ones took."""
    before, done = memory(shared), 0
    for step in STEPS:
        began = time.process_time()
        for number in range(done, step):
            add(number)
        each = (time.process_time() - began) / (step - done) * 1e6
        megabytes = (memory(shared) - before) / 1e6
        print(f"{step:>9,} {what}: {megabytes:6.1f} MB, {each:5.2f} µs a new one")
        done = step


def slices(what: str, steps: Iterator[None]) -> None:
    """Print how long something that comes in slices takes."""
    took = []
    began = time.perf_counter()
    for _ in steps:
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
    took.sort()
    print(
        f"{what}: {len(took)} slices of {took[len(took) // 2] * 1e3:.2f} ms "
        f"(longest {took[-1] * 1e3:.2f}), {sum(took) * 1e3:.0f} ms in all"
    )


def main() -> None:
    """Print all figures."""
    config = Config(Server(workers=4, journal_mb=1, max_keys=STEPS[-1]))
    shared = SharedState(new_segment(config))
    grow(shared, "callers", lambda number: come(shared.buckets, number))
    grow(shared, "counters", lambda number: shared.named_counters.advance(f"name {number}"))
    began = time.perf_counter()
    shared.buckets.release_slot(3)
    print(f"repair after a dead worker: {(time.perf_counter() - began) * 1e3:.1f} ms")
    began = time.perf_counter()
    page = list(shared.buckets.entries(STEPS[-1] // 2, 100))
    print(f"reading {len(page)} callers: {(time.perf_counter() - began) * 1e3:.2f} ms")
    slices("reset of callers", shared.buckets.reset())
    slices("reset of counters", shared.named_counters.reset())


if __name__ == "__main__":
    main()
