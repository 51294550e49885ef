"""A completion of what recorded answers say, and the clock of its tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from llmsim.core import (
    Choice,
    Completion,
    Finish,
    GeneratedText,
    Indices,
    ReasoningSegment,
    RefusalSegment,
    Seconds,
    Segment,
    TextSegment,
    ToolCallSegment,
    Usage,
)
from llmsim.engine.text import EMPTY
from llmsim.engine.tokens.tokenizer import Tokenizer
from llmsim.recordings.conversion.said import SaidChoice, SaidPart


class TimedChoice(NamedTuple):
    """What one choice of a recording says, and when each of the recording's frames came, in
    seconds."""

    said: SaidChoice
    times: Sequence[float]


class RecordedClock:
    """Tokens exist when they did in the recording; ``times`` are of all choices, one after
    another. ``accept`` is when the answer's head came, ``last`` when the answer had ended."""

    def __init__(self, times: Seconds, accept: float, last: float) -> None:
        self._times = times
        self.accept = accept
        self.first = float(times.min())
        self.last = max(last, float(times.max()))

    def at(self, tokens: Indices) -> Seconds:
        found: Seconds = self._times[tokens]
        return found

    def row(self, start: int, stop: int) -> Seconds:
        return self._times[start:stop]


def whole(
    said: Iterable[SaidChoice], usage: Usage, tokenizer: Tokenizer, *, pieces: bool
) -> Completion:
    """The completion with each text in one: with ``pieces`` it is cut into its tokens, for a
    stream."""
    made = [
        _choice(one, [tokenizer.text(part.text, pieces=pieces) for part in _parts(one)])
        for one in said
    ]
    return Completion(tuple(made), usage)


def streamed(
    choices: Sequence[TimedChoice], usage: Usage, accept: float, ended: float
) -> tuple[Completion, RecordedClock]:
    """The completion in the pieces in which it was recorded, each of which counts as a token, and
    the clock of those."""
    made: list[Choice] = []
    times: list[float] = []
    for said, came in choices:
        texts: list[GeneratedText] = []
        own: list[float] = []
        for part in _parts(said):
            pieces = tuple(part.pieces) or ("",)  # a call without arguments comes in one piece, too
            texts.append(GeneratedText(part.text, len(pieces), pieces, range(len(pieces))))
            own += [came[place] for place in part.frames] or [ended]
        made.append(_choice(said, texts))
        # Even what says nothing has a beat, and calls that come side by side follow each other.
        times += accumulate(own or [ended], max)
    return Completion(tuple(made), usage), RecordedClock(np.array(times), accept, ended)


def together(usages: Sequence[Usage]) -> Usage:
    """The usage of several answers to one prompt as that of one."""
    first = usages[0]
    return Usage(
        first.prompt,
        sum(one.completion for one in usages),
        sum(one.reasoning for one in usages),
        first.cached,
    )


def _parts(choice: SaidChoice) -> list[SaidPart]:
    """The parts that say anything; a call does without arguments, too."""
    return [one for one in choice.parts.values() if one.pieces or one.kind in ("call", "custom")]


def _choice(said: SaidChoice, texts: Sequence[GeneratedText]) -> Choice:
    parts = _parts(said)
    segments = tuple(_segment(*pair) for pair in zip(parts, texts, strict=True))
    finish = said.finish or Finish.STOP
    if finish is Finish.STOP and any(isinstance(one, ToolCallSegment) for one in segments):
        finish = Finish.TOOLS  # Gemini has one word for both
    tokens = sum(text.tokens for text in texts)
    return Choice(segments or (TextSegment(EMPTY),), tokens, finish, said.stop, reason=said.reason)


def _segment(part: SaidPart, text: GeneratedText) -> Segment:
    match part.kind:
        case "text":
            return TextSegment(text)
        case "reasoning":
            return ReasoningSegment(text)
        case "refusal":
            return RefusalSegment(text)
        case "call" | "custom":
            return ToolCallSegment(part.name, text, part.kind == "custom")
