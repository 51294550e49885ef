"""What callers have used of their limits, exact over all workers.

A table of :data:`ENTRIES` accounts in sets of :data:`WAYS`. An account is, in int64:

    0       key: 63 bits of a hash of the account's name, never 0; its upper half's remainder by
            the number of sets says which set it is in, and that set's lock is held while it counts
    1       when it was last counted, µs of the monotonic clock
    2       what was taken of each of :data:`COUNTED`, counted by :mod:`llmsim.core.token_bucket`
    7       the rule it follows, as a hash
    8       label: the caller and the model, UTF-8, separated by NUL, 128 bytes
    24      leases: for each slot the requests of its worker that are open

An account of zeros has used nothing, so what is forgotten counts as unused. There may be any
number of callers: in a full set the one that was not used for longest is forgotten, and none that
has a request open while there is another.

Taking is one step under the set's lock: refill every bucket up to now, see whether the account has
a concurrent request left and whether each bucket holds its amount, and only then take from all of
them and open a lease. So requests and tokens are both taken or neither, and two workers can never
take the same share. When the request ends, its lease is closed; what it took too much is given
back and what it took too little is taken too, even below nothing left: later requests wait for it.

What a worker that is killed leaves behind, wherever it was:

    holding a lock         the kernel gives it to the next process that wants it
    while refilling        the time is written before the counts: too little was refilled, never
                           too much
    while taking           some buckets were taken from and others not: at most what that one
                           request took is missing, until it is refilled
    with requests open     what they took stays taken, as nobody knows what they used; their leases
                           end when the slot is taken over, or when a worker that lacks one finds
                           that the slot's owner is dead
    while making an entry  its key is 0 until the last write: nobody finds it half made

Only the owner of a slot opens and closes its leases, so closing one needs no lock; whoever forgets
the account, or clears the slot of a dead owner, empties them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from llmsim.core.state import Attempt
from llmsim.core.token_bucket import COUNTED, TOKENS, Bucket, bounded
from llmsim.state.shm import concurrency_slots
from llmsim.state.shm.segment import PAGE, Lock, Segment

WAYS: Final = 16
ENTRIES: Final = 1 << 12
LOCKS: Final = 256
FIRST_LOCK: Final = Lock.BUCKETS + 1

_SETS = ENTRIES // WAYS
_STAMP, _TAKEN, _RULE, _LABEL, _LEASES = 1, 2, 7, 8, 24
_LABEL_BYTES = 128


class SharedAccount:
    """A caller's buckets under one rule, and the cell it was last found at (−1: none yet).

    ``buckets`` are (index in :data:`COUNTED`, bucket), ``tokens`` says whether one of them counts
    tokens; ``concurrent`` bounds the open requests.
    """

    __slots__ = ("at", "buckets", "concurrent", "key", "label", "lock", "rule", "start", "tokens")

    def __init__(
        self,
        name: str,
        rule: int,
        label: tuple[str, str],
        buckets: tuple[tuple[int, Bucket], ...],
        concurrent: int | None,
    ) -> None:
        self.key = hashed(name)
        self.rule = rule
        text = "\0".join(part.replace("\0", " ") for part in label)
        self.label = text.encode(errors="replace")[:_LABEL_BYTES].ljust(_LABEL_BYTES, b"\0")
        self.buckets = buckets
        self.tokens = any(COUNTED[column] in TOKENS for column, _ in buckets)
        self.concurrent = concurrent
        self.start = (self.key >> 32) % _SETS * WAYS
        self.lock = FIRST_LOCK + (self.key >> 32) % _SETS % LOCKS
        self.at = -1


class AccountEntry(Struct, frozen=True):
    """An account as anybody may read it."""

    rule: int
    caller: str
    model: str
    stamp: int
    counts: tuple[int, ...]
    open: int


class RateLimitBuckets:
    """The accounts in the memory that all workers share. To be used on the event loop only: the
    locks keep processes apart, not threads."""

    def __init__(
        self,
        segment: Segment,
        clock: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
    ) -> None:
        self._segment = segment
        self._slots = segment.shape.slots
        self._width = _LEASES + self._slots
        self._bytes = segment.buckets()[concurrency_slots.size(self._slots) :]
        self._cells = self._bytes.cast("q")
        self._end = len(self._cells) - len(self._cells) % self._width
        self._clock = clock
        self.slot = -1
        self.reap: Callable[[list[int]], bool] = _nobody_died

    @property
    def now(self) -> int:
        """The clock that the accounts go by, µs."""
        return self._clock()

    def account(
        self,
        name: str,
        rule: str,
        label: tuple[str, str],
        buckets: tuple[tuple[int, Bucket], ...],
        concurrent: int | None,
    ) -> SharedAccount:
        """The account of that name under the rule."""
        return SharedAccount(name, hashed(rule), label, buckets, concurrent)

    def take(self, account: SharedAccount, amounts: tuple[int, ...]) -> Attempt:
        """Take from each of the account's buckets, by its index in :data:`COUNTED`, what
        ``amounts`` says, and open a request; all of it or nothing. Requests that a dead worker
        left open make room."""
        attempt = self._take(account, amounts)
        if attempt.refused == -1 and self.reap(self.busy(account)):
            attempt = self._take(account, amounts)
        return attempt

    def _take(self, account: SharedAccount, amounts: tuple[int, ...]) -> Attempt:
        cells = self._cells
        self._segment.lock(account.lock)
        try:
            at = account.at
            if at < 0 or cells[at] != account.key:
                at = self._place(account)
            counts = self._refilled(at, account)
            if account.concurrent is not None:
                leases = self._open(at)
                if leases >= account.concurrent:
                    return Attempt(tuple(counts), -1, leases)
            refused = None
            for index, (column, bucket) in enumerate(account.buckets):
                if not bucket.fits(counts[index], amounts[column]):
                    refused = index
                    break
            else:
                for index, (column, bucket) in enumerate(account.buckets):
                    counts[index] += amounts[column] * bucket.period
                    cells[at + _TAKEN + column] = counts[index]
                cells[at + _LEASES + self.slot] += 1
        finally:
            self._segment.unlock(account.lock)
        return Attempt(tuple(counts), refused)

    def settle(self, account: SharedAccount, more: tuple[int, ...] | None) -> None:
        """Close one of the account's open requests. ``more`` was used of each bucket than was
        taken, or less; None is exactly that."""
        cells = self._cells
        at = account.at
        if cells[at] != account.key:  # forgotten, as too many others were busy
            return
        if more is not None:
            self._segment.lock(account.lock)
            try:
                counts = self._refilled(at, account)
                for index, (column, bucket) in enumerate(account.buckets):
                    if more[column]:
                        count = max(counts[index] + more[column] * bucket.period, 0)
                        cells[at + _TAKEN + column] = bounded(count)
            finally:
                self._segment.unlock(account.lock)
        if cells[at + _LEASES + self.slot] > 0:
            cells[at + _LEASES + self.slot] -= 1

    def release_slot(self, slot: int) -> None:
        """Close what the dead owner of a slot left open; for the process that has claimed it."""
        cells = self._cells
        for at in range(_LEASES + slot, self._end, self._width):
            if cells[at]:
                cells[at] = 0

    def busy(self, account: SharedAccount) -> list[int]:
        """The slots that have requests of this account open."""
        start = account.at + _LEASES
        return [slot for slot in range(self._slots) if self._cells[start + slot]]

    def each(self) -> Iterator[AccountEntry]:
        """Every account that is remembered, in no order."""
        cells = self._cells
        for at in range(0, self._end, self._width):
            if cells[at]:
                label = bytes(self._bytes[(at + _LABEL) * 8 : (at + _LABEL) * 8 + _LABEL_BYTES])
                caller, _, model = label.rstrip(b"\0").decode(errors="ignore").partition("\0")
                counts = tuple(cells[at + _TAKEN : at + _RULE].tolist())
                yield AccountEntry(
                    cells[at + _RULE], caller, model, cells[at + 1], counts, self._open(at)
                )

    def reset(self) -> None:
        """Fill every bucket; what is open stays so."""
        for at in range(0, self._end, self._width):
            if self._cells[at]:
                with self._segment.locked(FIRST_LOCK + at // self._width // WAYS % LOCKS):
                    self._cells[at + _TAKEN : at + _RULE] = _NOTHING

    def _open(self, at: int) -> int:
        return sum(self._cells[at + _LEASES : at + self._width].tolist())

    def _refilled(self, at: int, account: SharedAccount) -> list[int]:
        """What counts as taken by now, remembered so."""
        cells = self._cells
        now = self._clock()
        elapsed = now - cells[at + _STAMP]
        # The time first: a worker killed in between has refilled too little, never too much.
        cells[at + _STAMP] = now
        counts = []
        for column, bucket in account.buckets:
            count = cells[at + _TAKEN + column] - elapsed * bucket.limit  # Bucket.refilled
            cells[at + _TAKEN + column] = count = count if count > 0 else 0
            counts.append(count)
        return counts

    def _place(self, account: SharedAccount) -> int:
        """Where the account is, made if it is not there."""
        cells, width = self._cells, self._width
        start = account.start * width
        ways = range(start, start + WAYS * width, width)
        found = next((at for at in ways if cells[at] == account.key), None)
        if found is None:
            found = min(ways, key=lambda at: (cells[at] and self._open(at) > 0, cells[at + 1]))
            # Half written it must not pass for the new account with the old one's counts.
            cells[found] = 0
            cells[found + 1 : found + width] = memoryview(bytes(8 * (width - 1))).cast("q")
            cells[found + _RULE] = account.rule
            label = (found + _LABEL) * 8
            self._bytes[label : label + _LABEL_BYTES] = account.label
            cells[found + _STAMP] = self._clock()
            cells[found] = account.key
        account.at = found
        return found


def _nobody_died(slots: list[int]) -> bool:
    """Stands in for who looks after dead workers."""
    return False


_NOTHING = memoryview(bytes(8 * len(COUNTED))).cast("q")


def size(slots: int) -> int:
    """The bytes for that many worker slots: the concurrency slots, and the accounts after them."""
    accounts = -(-ENTRIES * 8 * (_LEASES + slots) // PAGE) * PAGE
    return concurrency_slots.size(slots) + accounts


def hashed(name: str) -> int:
    """A name as 63 bits that are never 0."""
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1 | 1
