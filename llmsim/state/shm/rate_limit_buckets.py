"""What callers have used of their limits, exact over all workers.

A :class:`~llmsim.state.shm.key_table.KeyTable` of accounts, and their labels after it. An account
is, in int64:

    0       key: 63 bits of a hash of the account's name, never 0
    1       when it was last counted, µs of the monotonic clock
    2       what was taken of each of :data:`COUNTED`, counted by :mod:`llmsim.core.token_bucket`
    7       the rule it follows, 31 bits of a hash, and in the lower half where its label is
    8       leases, in int32: for each slot the requests of its worker that are open

A label is the caller and the model as they may be shown, UTF-8, separated by NUL, after two bytes:
for how many bytes there is room, and how many there are. Labels follow one another from 1 on, so
they take what they need.

An account of zeros has used nothing, so what is forgotten counts as unused. None is, until there
are ``server.max_keys`` of them; then a new one takes the place of one whose buckets are full again
and that has no request open, so that nothing is lost. If there is none among those looked at, the
one that was not used for longest is forgotten, and one with requests open last.

Taking is one step under the lock of the account's region: refill every bucket up to now, see
whether the account has a concurrent request left and whether each bucket holds its amount, and only
then take from all of them and open a lease. So requests and tokens are both taken or neither, and
two workers can never take the same share. When the request ends, its lease is closed; what it took
too much is given back and what it took too little is taken too, even below nothing left: later
requests wait for it.

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
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from llmsim.core.state import Attempt
from llmsim.core.token_bucket import COUNTED, TOKENS, Bucket, bounded
from llmsim.core.value import Value
from llmsim.state.shm import concurrency_slots
from llmsim.state.shm.key_table import LABELS_END, KeyTable, TableShape, hashed, pages
from llmsim.state.shm.segment import Lock, Segment

REGIONS: Final = 256
FIRST_LOCK: Final = Lock.BUCKETS + 1

_STAMP, _TAKEN, _RULE = 1, 2, 7
_FIXED = 8
_LEASES = 2 * _FIXED
_LABEL_BYTES = 255
_LABELS_EACH = 64
"""Bytes of labels there is room for, for each account; when they are used up, labels are cut."""

Buckets = tuple[tuple[int, Bucket], ...]


class SharedAccount:
    """A caller's buckets under one rule, and the cell it was last found at (0: none yet).

    ``buckets`` are (index in :data:`COUNTED`, bucket), ``tokens`` says whether one of them counts
    tokens; ``concurrent`` bounds the open requests.
    """

    __slots__ = ("at", "buckets", "concurrent", "key", "label", "lock", "rule", "tokens")

    def __init__(
        self,
        name: str,
        rule: int,
        label: tuple[str, str],
        buckets: Buckets,
        concurrent: int | None,
    ) -> None:
        self.key = hashed(name)
        self.rule = rule
        self.label = label
        self.buckets = buckets
        self.tokens = any(COUNTED[column] in TOKENS for column, _ in buckets)
        self.concurrent = concurrent
        self.lock = FIRST_LOCK + (self.key >> 32) % REGIONS
        self.at = 0


class AccountEntry(Value, frozen=True, gc=False):
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
        shape = _shape(self._slots, segment.shape.max_keys)
        memory = segment.buckets()[concurrency_slots.size(self._slots) :]
        locks = (FIRST_LOCK, Lock.ACCOUNTS_TABLE)
        self.table = KeyTable(segment, memory, shape, locks, self._cost)
        self._cells = self.table.cells
        self._leases = self.table.counts
        self._labels = memory[shape.size :]
        self._rules: dict[int, Buckets] = {}
        self._clock = clock
        self.slot = -1
        self.reap: Callable[[Iterable[int], Callable[[int], None]], bool] = _nobody_died

    @property
    def now(self) -> int:
        """The clock that the accounts go by, µs."""
        return self._clock()

    def account(
        self,
        name: str,
        rule: str,
        label: tuple[str, str],
        buckets: Buckets,
        concurrent: int | None,
    ) -> SharedAccount:
        """The account of that name under the rule."""
        number = rule_number(rule)
        self._rules[number] = buckets
        return SharedAccount(name, number, label, buckets, concurrent)

    def take(self, account: SharedAccount, amounts: tuple[int, ...]) -> Attempt:
        """Take from each of the account's buckets, by its index in :data:`COUNTED`, what
        ``amounts`` says, and open a request; all of it or nothing. Requests that a dead worker
        left open make room."""
        attempt = self._take(account, amounts)
        if attempt.refused == -1 and self._reaped(account):
            attempt = self._take(account, amounts)
        return attempt

    def _reaped(self, account: SharedAccount) -> bool:
        """Close what dead workers left open of this account: whether there was any."""
        start = 2 * account.at + _LEASES

        def close(slot: int) -> None:
            self._leases[start + slot] = 0

        return self.reap(self.busy(account), close)

    def _take(self, account: SharedAccount, amounts: tuple[int, ...]) -> Attempt:
        cells = self._cells
        self._segment.lock(account.lock)
        try:
            at = account.at
            if cells[at] != account.key:
                at = account.at = self.table.find(account.key) or self._made(account)
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
                self._leases[2 * at + _LEASES + self.slot] += 1
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
                if cells[at] != account.key:
                    return
                counts = self._refilled(at, account)
                for index, (column, bucket) in enumerate(account.buckets):
                    if more[column]:
                        count = max(counts[index] + more[column] * bucket.period, 0)
                        cells[at + _TAKEN + column] = bounded(count)
            finally:
                self._segment.unlock(account.lock)
        lease = 2 * at + _LEASES + self.slot
        if self._leases[lease] > 0:
            self._leases[lease] -= 1

    def release_slot(self, slot: int) -> None:
        """Close what the dead owner of a slot left open; for the process that has claimed it."""
        self.table.clear_counts(_LEASES + slot)

    def busy(self, account: SharedAccount) -> list[int]:
        """The slots that have requests of this account open."""
        start = 2 * account.at + _LEASES
        return [slot for slot in range(self._slots) if self._leases[start + slot]]

    def entries(self, first: int = 0, most: int | None = None) -> Iterator[AccountEntry]:
        """The accounts that are remembered, in the order of their records, from number ``first``
        on, at most so many. May be read in another thread."""
        width, used = self.table.shape.width, self.table.used
        last = used if most is None else min(used, first + most)
        for at in range((first + 1) * width, (last + 1) * width, width):
            entry = self._entry(at)
            if entry is not None:
                yield entry

    def _entry(self, at: int) -> AccountEntry | None:
        cells = self._cells
        key = cells[at]
        label = cells[at + _RULE] & 0xFFFFFFFF
        text = bytes(self._labels[label + 2 : label + 2 + self._labels[label + 1]])
        caller, _, model = text.decode(errors="ignore").partition("\0")
        counts = tuple(cells[at + _TAKEN : at + _RULE].tolist())
        entry = AccountEntry(
            cells[at + _RULE] >> 32, caller, model, cells[at + _STAMP], counts, self._open(at)
        )
        return entry if key and cells[at] == key else None

    def reset(self) -> Iterator[None]:
        """Fill every bucket; what is open stays so. In slices, with time for others between."""
        return self.table.cleared(slice(_TAKEN, _RULE))

    def _open(self, at: int) -> int:
        start = 2 * at + _LEASES
        return sum(self._leases[start : start + self._slots].tolist())

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

    def _made(self, account: SharedAccount) -> int:
        """A new account: where it is."""
        cells, table = self._cells, self.table
        at = table.new(account.key)
        label = self._labelled(account.label, cells[at + _RULE] & 0xFFFFFFFF)
        width = table.shape.width
        cells[at + 1 : at + width] = memoryview(bytes(8 * (width - 1))).cast("q")
        cells[at + _RULE] = account.rule << 32 | label
        cells[at + _STAMP] = self._clock()
        cells[at] = account.key
        return at

    def _labelled(self, label: tuple[str, str], old: int) -> int:
        """Where the label is, written in place of the ``old`` one if that is as long."""
        labels = self._labels
        text = "\0".join(part.replace("\0", " ") for part in label).encode(errors="replace")
        text = text[:_LABEL_BYTES]
        at = old
        if not old or labels[old] < len(text):
            at = self.table.reserve(LABELS_END, 2 + len(text), len(labels)) or old
            if not at:
                return 0
            if at != old:
                labels[at] = len(text)
        text = text[: labels[at]]
        labels[at + 2 : at + 2 + len(text)] = text
        labels[at + 1] = len(text)
        return at

    def _cost(self, at: int) -> tuple[int, int]:
        """What would be lost with the account: 0 for nothing, 1 for what it has used, 2 for
        requests that are open; and when it was last used."""
        cells = self._cells
        stamp = cells[at + _STAMP]
        if self._open(at):
            return 2, stamp
        elapsed = self._clock() - stamp
        counts = cells[at + _TAKEN : at + _RULE].tolist()
        for column, bucket in self._rules.get(cells[at + _RULE] >> 32, ()):
            counts[column] = bucket.refilled(counts[column], elapsed)
        return int(any(counts)), stamp


def _nobody_died(slots: Iterable[int], close: Callable[[int], None]) -> bool:
    """Stands in for who looks after dead workers."""
    return False


def _shape(slots: int, keys: int) -> TableShape:
    return TableShape(keys, REGIONS, _FIXED + (slots + 1) // 2)


def size(slots: int, keys: int) -> int:
    """The bytes for that many worker slots and accounts: the concurrency slots, and the accounts
    and their labels after them."""
    labels = pages(_LABELS_EACH * keys)
    return concurrency_slots.size(slots) + _shape(slots, keys).size + labels


def rule_number(rule: str) -> int:
    """A rule as 31 bits."""
    return hashed(rule) >> 32
