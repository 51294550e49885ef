"""Usage in every chunk of a stream, as vLLM has it (``stream_options.continuous_usage_stats``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from llmsim.providers.wire.beats import BeatRuns

_MARK = b"\x00"  # no JSON has it
MEMBER = b',"usage":' + _MARK
"""The member that chunks have before it is known what is in it."""


class CountedTails(Sequence[bytes]):
    """What follows the prefix in one choice's chunks, each with the usage up to it.

    ``tails`` have :data:`MEMBER`; the first is the role's, before any token, and ``beats`` are
    those of all others. ``usage`` writes the usage after so many tokens of the choice.
    """

    __slots__ = ("_beats", "_tails", "_usage")

    def __init__(
        self, tails: Sequence[bytes], beats: BeatRuns, usage: Callable[[int], bytes]
    ) -> None:
        self._tails = tails
        self._beats = beats
        self._usage = usage

    def __len__(self) -> int:
        return len(self._tails)

    @overload
    def __getitem__(self, index: int, /) -> bytes: ...

    @overload
    def __getitem__(self, index: slice, /) -> list[bytes]: ...

    def __getitem__(self, index: int | slice, /) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index % len(self)
        tokens = self._beats[place - 1] + 1 if place else 0
        return self._tails[place].replace(_MARK, self._usage(tokens))
