"""What requests share, as protocols: the pipeline knows these and nothing of what is behind them.

Behind them is the shared memory of all workers (:mod:`llmsim.state.shm`), or, for a single process
that starts from nothing (``llmsim plan``, unit tests), plain objects (:mod:`llmsim.state.memory`).
All but the queue and the object store answer at once: they are asked on the hot path.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from llmsim.core.load.step_clock import StepClock
from llmsim.core.load.step_cost import StepCost
from llmsim.core.plan import Headers
from llmsim.core.rate_limits import Concurrency
from llmsim.core.token_bucket import Bucket

if TYPE_CHECKING:  # which knows a caller
    from llmsim.core.upstream.answer import Upstreams

P = ParamSpec("P")
T = TypeVar("T")

Listed: TypeAlias = list[tuple[str, bytes]]
"""Ids and objects."""


class LiveSession(Protocol):
    """A connection whose messages are requests."""

    @property
    def gone(self) -> Occurrence:
        """It is closed."""
        ...


class Occurrence(Protocol):
    """Something that happens once."""

    async def wait(self) -> Any:
        """Return when it has."""
        ...


class Caller(Protocol):
    """Who waits for an answer: the head of the request, and whether they are still there."""

    @property
    def path(self) -> str:
        """The path that was asked for, still encoded; empty where there is none."""
        ...

    @property
    def socket(self) -> LiveSession | None:
        """The WebSocket of which the request is a message; None if it stands by itself."""
        ...

    @property
    def query(self) -> str:
        """What follows the question mark, still encoded."""
        ...

    def header(self, name: str) -> str | None:
        """A request header by its lower-case name."""
        ...

    def names(self) -> list[str]:
        """The names of all request headers, in lower case."""
        ...

    async def left(self) -> None:
        """Return when the client has closed its connection."""
        ...


class Counters(Protocol):
    """Counters by name, exact over all workers."""

    def advance(self, name: str, /) -> int:
        """How often ``name`` was counted before, counting it now."""
        ...

    def take(self, name: str, most: int, /) -> int | None:
        """Like :meth:`advance`, but None, uncounted, once ``most`` were counted."""
        ...

    def reached(self, name: str, /) -> int:
        """How often ``name`` was counted."""
        ...


class RequestOrder(Protocol):
    """Places in orders that all workers agree on, from 0."""

    def turn(self) -> int:
        """The place of a request among those that take a text of the generator ``sequence``."""
        ...

    def draw(self) -> int:
        """The place of a request among those whose failure is left to chance."""
        ...


class Account(Protocol):
    """One caller's buckets under one rate limit.

    ``buckets`` are (place in :data:`~llmsim.core.token_bucket.COUNTED`, bucket), ``tokens`` says
    whether one of them counts tokens; ``concurrent`` bounds the open requests.
    """

    buckets: tuple[tuple[int, Bucket], ...]
    tokens: bool
    concurrent: int | None


class Attempt(Struct, frozen=True, gc=False):
    """What asking an account for a request came to.

    ``counts`` are what is taken now of the account's buckets, in their order. ``refused`` is the
    place in that order of the bucket that had too little, −1 for too many open requests (``open``
    of them), None if all was had.
    """

    counts: tuple[int, ...]
    refused: int | None
    open: int = 0


class RateLimiter(Protocol):
    """What callers have used of their rate limits, exact over all workers.

    ``amounts`` are by place in :data:`~llmsim.core.token_bucket.COUNTED`.
    """

    def account(
        self,
        name: str,
        rule: str,
        label: tuple[str, str],
        buckets: tuple[tuple[int, Bucket], ...],
        concurrent: int | None,
        /,
    ) -> Any:
        """The :class:`Account` of that name under the rule; ``label`` is caller and model as
        they may be shown. It is asked for once and then handed back to the methods below."""
        ...

    def take(self, account: Any, amounts: tuple[int, ...], /) -> Attempt:
        """Take from each of the account's buckets, and open a request; all of it or nothing."""
        ...

    def settle(self, account: Any, difference: tuple[int, ...] | None, /) -> None:
        """Close one of the account's open requests. ``difference`` is what was used of each
        bucket beyond what was taken, negative for less; None if that was right."""
        ...


QUEUE_FULL = "That model is currently overloaded with other requests. You can retry your request."
"""What a request gets for which the queue has no room."""


class ConcurrencyQueue(Protocol):
    """Requests that wait to be among those that are answered at the same time."""

    async def enter(self, concurrency: Concurrency, caller: Caller | None, /) -> float:
        """Wait for a slot and take it: how long that took, in seconds. Raises BadRequest where
        too many wait already or it takes too long."""
        ...

    def leave(self) -> None:
        """Give the slot back."""
        ...


class PromptPrefixes(Protocol):
    """Which prefixes of prompts a provider's cache holds. Keys are 64 bits."""

    def holds(self, key: int, /) -> bool:
        """Whether the prefix is in the cache."""
        ...

    def keep(self, key: int, ttl: int, /) -> None:
        """Keep the prefix, which may be there already, for at least ``ttl`` seconds."""
        ...


class StepClocks(Protocol):
    """The step clocks of all replicas, exact over all workers. Times are seconds of the monotonic
    clock."""

    def find(self, model: str, replicas: int, /) -> int:
        """The clock of the model's replica whose turn it is."""
        ...

    def read(self, clock: int, now: float, /) -> StepClock:
        """The clock as it is at ``now``, to look at."""
        ...

    def join(
        self,
        clock: int,
        cost: StepCost,
        now: float,
        tokens: int,
        steps: float,
        others: Sequence[float] = (),
        /,
    ) -> int | None:
        """See :meth:`StepClock.join`. From now on a step costs what ``cost`` says."""
        ...

    def leave(self, clock: int, now: float, tickets: range, /) -> None:
        """See :meth:`StepClock.leave`: these all leave."""
        ...


class Offload(Protocol):
    """Calls a function where it keeps no other request waiting."""

    def __call__(
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]: ...


class StoreError(Exception):
    """What is stored cannot be read or written, as on a full or a read-only disk."""


class Objects(Protocol):
    """Stored objects, as one step of work sees and changes them.

    ``kind`` names what sort of object it is ("thread"), ``id`` is unique within its kind, and
    ``group`` is what it is listed under (the thread of a message), "" where a kind has one list.
    """

    def get(self, kind: str, id: str) -> bytes | None:  # noqa: A002  its name everywhere
        """The object; None if there is none."""
        ...

    def put(self, kind: str, id: str, value: bytes, group: str = "") -> None:  # noqa: A002
        """Keep an object. One that replaces another takes its place in the order."""
        ...

    def replace(self, kind: str, id: str, value: bytes) -> None:  # noqa: A002
        """Put another value in an object's place."""
        ...

    def delete(self, kind: str, id: str) -> bool:  # noqa: A002
        """Forget an object; whether there was one."""
        ...

    def clear(self, kind: str, group: str) -> int:
        """Forget a whole group; how many there were."""
        ...

    def count(self, kind: str, group: str) -> int:
        """How many objects a group has."""
        ...

    def trim(self, kind: str, most: int) -> list[str]:
        """Forget the oldest of a kind beyond ``most``; their ids. Now and then it only looks
        whether there are any, so that a few more than ``most`` may stay for a while."""
        ...

    def list(
        self,
        kind: str,
        group: str = "",
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        newest_first: bool = True,
    ) -> Listed:
        """At most ``limit`` ids and objects of a group, in the order in which they were made.

        ``after`` and ``before`` name objects between which, in that order, the listed ones are.
        Raises LookupError for one that is not there.
        """
        ...


class ObjectStore(Protocol):
    """Objects that all workers share and that change after they were made, by kind and id.

    Nothing here keeps the event loop waiting. Each method raises StoreError where the store does
    not work.
    """

    async def put(self, kind: str, id: str, value: bytes, group: str = "") -> None:  # noqa: A002
        """Keep an object; the oldest of its kind beyond a fixed number are forgotten."""
        ...

    async def get(self, kind: str, id: str) -> bytes | None:  # noqa: A002
        """See :meth:`Objects.get`."""
        ...

    async def delete(self, kind: str, id: str) -> bool:  # noqa: A002
        """See :meth:`Objects.delete`."""
        ...

    async def clear(self, kind: str, group: str) -> int:
        """See :meth:`Objects.clear`."""
        ...

    async def list(
        self,
        kind: str,
        group: str = "",
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        newest_first: bool = True,
    ) -> Listed:
        """See :meth:`Objects.list`."""
        ...

    async def update(
        self,
        kind: str,
        id: str,  # noqa: A002
        change: Callable[[bytes], bytes],
    ) -> bytes | None:
        """Put what ``change`` makes of an object in its place; None if there is none.

        No other worker reads or writes in between. What ``change`` raises is raised here, and
        the object stays as it was.
        """
        ...

    async def read(self, work: Callable[[Objects], T], /) -> T:
        """What ``work`` makes of the objects, as they are at one moment. It changes none."""
        ...

    async def write(self, work: Callable[[Objects], T], /) -> T:
        """The same for work that changes some: nobody else does meanwhile. What it raises is
        raised here, and then nothing has changed."""
        ...


class HeldLimits(Protocol):
    """What a request holds of its caller's limits until it ends."""

    def headers(self, now: float, /) -> Headers:
        """The limit headers of the response, at a Unix time."""
        ...

    def effects(self, tokens: tuple[int, int, int, int], /) -> list[tuple[str, int, int, int]]:
        """Of each limit its key, how much it is, and what was left before the request and is once
        it has used ``tokens``."""
        ...

    def settle(self, tokens: tuple[int, int, int, int], /) -> None:
        """Give it back. ``tokens`` are what was used: prompt, completion, reasoning, cached."""
        ...


class ScopeSource(Protocol):
    """The scopes of a server, by their names."""

    async def enter(self, name: str, /) -> tuple[Any, str]:
        """The pipeline of requests in the scope, and the label that they have in the journal."""
        ...


@dataclass(frozen=True, slots=True)
class PipelineState:
    """All that a pipeline is handed.

    ``elapsed`` tells how long the timetable has been going on, in seconds; ``fresh`` gives seeds
    that nobody can expect. ``scopes`` is None where there are none: within one, too. ``upstreams``
    None passes no request on.
    """

    counters: Counters
    limiter: RateLimiter
    queue: ConcurrencyQueue
    order: RequestOrder
    prefixes: PromptPrefixes
    elapsed: Callable[[], float]
    fresh: Callable[[], int]
    offload: Offload
    scopes: ScopeSource | None = None
    upstreams: Upstreams | None = None
