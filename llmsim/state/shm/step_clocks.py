"""The step clocks of all replicas, exact over all workers: see :mod:`llmsim.core.load.step_clock`.

A clock, in bytes from its beginning:

    0       int64: its generation, and whose turn it is among the replicas of the model
    16      its name, NUL-padded: the model and the replica's number, separated by NUL
    128     two places for its state, float64: the numbers of :data:`_HEAD`, then the ends of the
            sequences that run, then their numbers
    …       the sequences that wait, float64, ticket by ticket in turn: ticket, owner, tokens, steps

A change is made under the clock's lock: the new state is written to the place that does not count,
and the generation, whose last bit says which place counts, is one more after that. So readers take
no lock, only look whether the generation is still the same; and of a worker that is killed in the
middle of a change nothing is seen. What a dead worker's sequences held is given back when its slot
is taken over.

Names beyond the first :data:`CLOCKS` share one clock.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from llmsim.core.load.step_clock import NEVER, StepClock
from llmsim.core.load.step_cost import MOST_SEQUENCES, StepCost
from llmsim.state.shm.segment import PAGE, Lock, Segment

CLOCKS: Final = 128
ROOM: Final = 8192
"""How many sequences may wait for one replica."""
OTHER: Final = "other"

_NAME: Final = slice(16, 128)
_NAME_BYTES: Final = 112
_HEAD: Final = (
    *("steps", "time", "step", "start", "tail", "group", "members", "batch"),
    *("partial", "rest", "partial_steps", "head", "next", "queued", "prefilled"),
)
_COUNT: Final = len(_HEAD)  # where the number of running sequences is
_COST: Final = slice(_COUNT + 1, _COUNT + 6)
_LISTS: Final = _COUNT + 6
_STATE: Final = _LISTS + 2 * MOST_SEQUENCES
_STATES_AT: Final = 128 // 8
_LINE_AT: Final = _STATES_AT + 2 * _STATE
_WAITING: Final = 4
_CLOCK: Final = -(-8 * (_LINE_AT + _WAITING * ROOM) // PAGE) * PAGE
SIZE: Final = CLOCKS * _CLOCK
"""Bytes for all clocks; memory that no clock has touched does not exist."""


class ClockStatus(NamedTuple):
    """How a replica's clock stands. ``capacity`` is how many may run at once. ``step`` is the
    duration of a step in seconds, 0 where it stands still; ``prefilled`` counts prompt tokens,
    ``prefill_rate`` is how many a second now."""

    model: str
    replica: int
    running: int
    waiting: int
    capacity: int
    step: float
    prefilled: int
    prefill_rate: float


class SharedLine:
    """The sequences that wait for one replica."""

    room = ROOM

    def __init__(self, cells: memoryview[float]) -> None:
        self._cells = cells

    def put(self, ticket: int, owner: int, tokens: int, steps: float) -> None:
        """Remember one. Until the clock's generation changes nobody looks at it."""
        at = ticket % ROOM * _WAITING
        self._cells[at : at + _WAITING] = array("d", (ticket, owner, tokens, steps))

    def get(self, ticket: int) -> tuple[int, int, float] | None:
        """Owner, tokens and steps; None for one that has left."""
        at = ticket % ROOM * _WAITING
        found, owner, tokens, steps = self._cells[at : at + _WAITING]
        return (int(owner), int(tokens), steps) if found == ticket else None

    def drop(self, ticket: int) -> None:
        """Forget one that leaves."""
        self._cells[ticket % ROOM * _WAITING] = 0


class SharedStepClocks:
    """All clocks, to be used on the event loop only. ``slot`` is the worker's own."""

    def __init__(self, segment: Segment) -> None:
        self.slot = -1
        self._segment = segment
        memory = segment.step_clocks()
        parts = [memory[at : at + _CLOCK] for at in range(0, len(memory), _CLOCK)]
        self._names = [part[_NAME] for part in parts]
        self._words = [part[:16].cast("q") for part in parts]
        self._cells = [part.cast("d") for part in parts]
        self._found: dict[tuple[str, int], int] = {}
        self._read: dict[int, tuple[int, StepClock]] = {}

    def find(self, model: str, replicas: int) -> int:
        """The clock of the model's replica whose turn it is."""
        index = self._index(model, 0)
        if replicas == 1:
            return index
        with self._segment.locked(Lock.STEP_CLOCKS + index):
            turn = self._words[index][1]
            self._words[index][1] = turn + 1
        return self._index(model, turn % replicas)

    def read(self, clock: int, now: float) -> StepClock:
        """The clock as it is at ``now``, to look at."""
        state = self._current(clock)
        if state.change != NEVER and state.time_of(state.change) <= now:
            with self._segment.locked(Lock.STEP_CLOCKS + clock):
                state = self._taken(clock)
                state.advance(now)
                self._store(clock, state)
        return state

    def join(
        self,
        clock: int,
        cost: StepCost,
        now: float,
        tokens: int,
        steps: float,
        others: Sequence[float] = (),
    ) -> int | None:
        """See :meth:`StepClock.join`. From now on a step costs what ``cost`` says."""
        with self._segment.locked(Lock.STEP_CLOCKS + clock):
            state = self._taken(clock)
            if not self._words[clock][0]:
                state.cost = cost
            elif state.cost != cost:
                state.adjust(now, cost)
            ticket = state.join(now, self.slot, tokens, steps, others)
            self._store(clock, state)
        return ticket

    def leave(self, clock: int, now: float, tickets: range) -> None:
        """See :meth:`StepClock.leave`."""
        with self._segment.locked(Lock.STEP_CLOCKS + clock):
            state = self._taken(clock)
            for ticket in tickets:
                state.leave(now, ticket)
            self._store(clock, state)

    def release_slot(self, slot: int, now: float) -> None:
        """All sequences of a worker slot leave."""
        for clock in range(len(self._names)):
            if not self._words[clock][0]:
                continue
            with self._segment.locked(Lock.STEP_CLOCKS + clock):
                state = self._taken(clock)
                state.leave_all(now, slot)
                self._store(clock, state)

    def statuses(self, now: float) -> Iterator[ClockStatus]:
        """How the clocks stand that anybody has joined."""
        for clock, name in enumerate(self._names):
            if self._words[clock][0]:
                model, _, replica = bytes(name).rstrip(b"\0").decode().partition("\0")
                state = self._loaded(clock)[1]
                state.advance(now)
                moves = state.change != NEVER
                yield ClockStatus(
                    model,
                    int(replica or 0),
                    state.running,
                    state.queued,
                    state.cost.max_sequences,
                    state.step if moves else 0.0,
                    state.prefilled,
                    state.batch / state.step if moves else 0.0,
                )

    def _index(self, model: str, replica: int) -> int:
        key = (model, replica)
        index = self._found.get(key)
        if index is None:
            if len(self._found) > CLOCKS:
                self._found.clear()
            index = self._found[key] = self._named(model, replica)
        return index

    def _named(self, model: str, replica: int) -> int:
        """Where the clock of that name is; a new one the first time."""
        short = model.replace("\0", " ").encode()[: _NAME_BYTES - 8].decode(errors="ignore")
        wanted = f"{short}\0{replica}".encode().ljust(_NAME_BYTES, b"\0")
        with self._segment.locked(Lock.CLOCK_NAMES):
            for index, name in enumerate(self._names[:-1]):
                if name == wanted:
                    return index
                if not name[0]:
                    name[:] = wanted
                    return index
            self._names[-1][: len(OTHER)] = OTHER.encode()
        return CLOCKS - 1

    def _current(self, clock: int) -> StepClock:
        """The state that counts, from memory only where it has changed."""
        read = self._read.get(clock)
        if read is None or read[0] != self._words[clock][0]:
            read = self._read[clock] = self._loaded(clock)
        return read[1]

    def _taken(self, clock: int) -> StepClock:
        """The same to be changed, which nobody looks at before it is stored."""
        state = self._current(clock)
        del self._read[clock]
        return state

    def _loaded(self, clock: int) -> tuple[int, StepClock]:
        words, cells = self._words[clock], self._cells[clock]
        while True:
            generation = words[0]
            at = _STATES_AT + (generation & 1) * _STATE
            running = int(cells[at + _COUNT])
            numbers: Sequence[float] = cells[at : at + _LISTS + 2 * running].tolist()
            if words[0] == generation:
                break
        base, slope, prefill, most, budget = numbers[_COST]
        cost = StepCost(base, slope, prefill, int(most), int(budget))
        state = StepClock(cost, SharedLine(cells[_LINE_AT : _LINE_AT + _WAITING * ROOM]))
        if generation:
            for name, number in zip(_HEAD, numbers, strict=False):
                setattr(state, name, number if name in _FRACTIONS else int(number))
            state.ends = list(numbers[_LISTS : _LISTS + running])
            state.numbers = list(map(int, numbers[_LISTS + running :]))
        return generation, state

    def _store(self, clock: int, state: StepClock) -> None:
        words, cells = self._words[clock], self._cells[clock]
        generation = words[0] + 1
        at = _STATES_AT + (generation & 1) * _STATE
        cost = state.cost
        written = array("d", [getattr(state, name) for name in _HEAD])
        written.extend((len(state.ends), cost.base, cost.per_sequence, cost.per_prefill_token))
        written.extend((cost.max_sequences, cost.prefill_tokens))
        written.extend(state.ends)
        written.extend(state.numbers)
        cells[at : at + len(written)] = written
        words[0] = generation
        self._read[clock] = generation, state


_FRACTIONS: Final = frozenset(("steps", "time", "step", "start", "tail", "batch", "partial_steps"))
