"""A plan: frames and the times at which they are due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, overload

from msgspec import Struct

from llmsim.core.completion import Completion, Usage
from llmsim.core.errors import Failure
from llmsim.core.load.sequence_plan import SequencePlan

if TYPE_CHECKING:  # the command line has no need of numpy
    import numpy as np
    from numpy.typing import NDArray

Seconds: TypeAlias = "NDArray[np.float64]"
Indices: TypeAlias = "NDArray[np.int64]"
Headers: TypeAlias = list[tuple[str, str]]


class Stamp(Struct, frozen=True, gc=False):
    """What sets this answer apart from any other: never derived from the seed.

    ``mark`` is 26 lower-case hex digits from which the codec makes its ids; ``created`` is
    Unix time in seconds.
    """

    mark: str
    created: int


class Due(Protocol):
    """When each frame of a plan is due, in seconds after arrival, non-decreasing: an array, or a
    view that computes times as they are asked for and costs the same however many there are.

    The scheduler asks for a stretch of times, ``due[start:stop]``, when the last frame before it
    has left, and for each stretch once. So a source of time plugs in by being a ``Due``: it knows
    the beats of the frames (:class:`StreamScript`) and says when each beat falls
    (:class:`~llmsim.engine.timing.TokenClock`). One that does not know the whole future yet may
    answer a slice with fewer times than it has, one at least, and is asked again for the rest
    once these have passed. Times that change after they were asked for are given anew by
    :meth:`Playback.retime`.
    """

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, index: int, /) -> float: ...

    @overload
    def __getitem__(self, index: slice, /) -> Seconds: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class Numbering(Protocol):
    """A number for each frame, as an array or as a view that computes them when asked: its beat
    (:class:`Beats`), or its place in another order."""

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, index: int, /) -> int: ...

    @overload
    def __getitem__(self, index: slice, /) -> Indices: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class Beats(Numbering, Protocol):
    """The beat of each frame of a stream: what it waits for."""

    def row(self, start: int, stop: int, /) -> int | None:
        """The first beat of frames ``start`` to ``stop`` (exclusive), if each of them has the beat
        after that of the one before; None if not."""
        ...


PIECE: Final = 1 << 17
"""Bytes that are copied without keeping others waiting; of what is larger, a piece at a time."""


class LargeChunk:
    """Frames that are large: they stay the parts they are made of until each piece is sent."""

    __slots__ = ("_length", "_parts")

    def __init__(self, parts: Sequence[bytes]) -> None:
        self._parts = parts
        self._length = sum(map(len, parts))

    def __len__(self) -> int:
        return self._length

    def __bytes__(self) -> bytes:
        return b"".join(self._parts)

    def pieces(self) -> Iterator[bytes]:
        """The bytes, at most :data:`PIECE` at a time."""
        small: list[bytes] = []
        size = 0
        for part in self._parts:
            for piece in _cut(part):
                if size + len(piece) > PIECE:
                    yield b"".join(small)
                    small, size = [], 0
                small.append(piece)
                size += len(piece)
        if small:
            yield b"".join(small)


Chunk: TypeAlias = bytes | LargeChunk


def pieces(chunk: Chunk) -> Iterator[bytes]:
    """A chunk's bytes, at most :data:`PIECE` at a time."""
    return _cut(chunk) if isinstance(chunk, bytes) else chunk.pieces()


def _cut(data: bytes) -> Iterator[bytes]:
    return (data[start : start + PIECE] for start in range(0, len(data), PIECE))


class Frames(Protocol):
    """The bytes of an answer, frame by frame, rendered no earlier than needed."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> bytes: ...

    def join(self, start: int, stop: int) -> Chunk:
        """Frames ``start`` to ``stop`` (exclusive) as one chunk."""
        ...

    def reorder(self, order: Numbering) -> Frames:
        """The same frames in another order; ``order[i]`` is the old index of the new frame i."""
        ...


END = -1
"""The beat of a frame that waits until every token exists."""

START = -2
"""The beat of a frame that needs no token: it leaves when the request has been accepted."""

FIRST = -3
"""The beat of a frame that waits for the first token of any choice."""


class StreamScript(Struct, frozen=True, gc=False):
    """A streamed completion as its codec encodes it.

    ``beats[i]`` says which token must exist before frame i may leave: an index into the tokens
    of all choices, one choice after another, or :data:`FIRST`, :data:`START` or :data:`END`.
    ``parts`` is how many frames each stretch has that is in the order of time already, one or more
    a choice; none for a stream of a few frames that need not be. ``keepalive`` is a frame that
    says nothing, sent in long silences; empty where the service sends none.
    """

    frames: Frames
    beats: Beats
    parts: Sequence[int] = ()
    keepalive: bytes = b""


class ConnectionEnd(Enum):
    """What becomes of the connection after the last frame."""

    WHOLE = "whole"  # the response ends as it should
    CUT = "cut"  # the connection closes in the middle of the response
    RESET = "reset"  # it is reset there
    UNANSWERED = "unanswered"  # it is reset in place of the response's first byte


class Playback(Protocol):
    """A deferred plan while it is sent, for whoever feeds or re-times it."""

    @property
    def pending(self) -> int:
        """How many frames have not left yet."""
        ...

    @property
    def elapsed(self) -> float:
        """How many seconds ago the request arrived."""
        ...

    @property
    def unread(self) -> int:
        """How many bytes of those that have left the client has not read, at least."""
        ...

    def abandon(self) -> None:
        """The client has gone: end the response."""
        ...

    def add(self, frame: bytes, due: float, /) -> bool:
        """Send one more frame ``due`` seconds after the request's arrival, at once if that is
        past, and not before the frames added earlier. False if the client has gone."""
        ...

    def cut(self, frame: bytes, due: float, /) -> bool:
        """Send this frame ``due`` seconds after the request's arrival in place of all that are
        pending. False if nothing is, or the client has gone."""
        ...

    def retime(self, due: Sequence[float], /) -> None:
        """Give all pending frames other times: seconds after arrival, non-decreasing."""
        ...

    def end(
        self,
        ending: ConnectionEnd = ConnectionEnd.WHOLE,
        usage: Usage | None = None,
        failure: Failure | None = None,
    ) -> None:
        """Nothing more is added: end the response as ``ending`` says once all has left.
        ``usage`` and ``failure`` are what is counted, where they were not known before."""
        ...


class Deferred(Protocol):
    """Decides about a plan while it is sent: an upstream that is proxied, a recording, load, work
    that may be cancelled."""

    def begin(self, playback: Playback, /) -> None:
        """The response has been opened; called once, on the event loop."""
        ...


class Reached(Protocol):
    """For each frame how many tokens the client has once it has left, never decreasing."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> int: ...


class Plan(Struct, frozen=True, gc=False):
    """Frames and the times at which they are due.

    There are as many of either, at least one where nothing is ``deferred``. A plain
    answer, and a failure, is a plan of one frame. ``ttft`` and ``total`` are when the first and
    the last token exist; ``completion`` is None for a failure before the first byte, and
    ``failure`` beside a completion is how it goes wrong. ``length`` is what the head of
    a plain answer says its body has, in bytes, where its frames do not leave as one; None
    everywhere else. ``reached[i]`` is how many tokens of a stream's choices its client has once
    frame i has left; more than there are once all has. A plan with ``deferred`` is only the
    beginning of an answer, of no frames perhaps, and ends when that says so. ``headers`` is the
    head of an answer that was not made here, but for its length; None is the endpoint's own.
    """

    status: int
    frames: Frames
    due: Due
    stream: bool
    ttft: float
    total: float
    seed: int
    completion: Completion | None = None
    failure: Failure | None = None
    ending: ConnectionEnd = ConnectionEnd.WHOLE
    length: int | None = None
    deferred: Deferred | None = None
    sequence: SequencePlan | None = None
    reached: Reached | None = None
    headers: Headers | None = None
