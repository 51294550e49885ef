"""Recorded answers as the plan of another request: plain ones as a stream, streams as a plain
answer, several as the choices of one. The codec of the request writes it as it does any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from msgspec import structs

from llmsim.core import (
    Completion,
    ConnectionEnd,
    Headers,
    Plan,
    Request,
    Stamp,
    StreamCodec,
    StreamScript,
    Usage,
)
from llmsim.engine.compose import ModelSettings
from llmsim.engine.faults.fault_context import FrameList
from llmsim.engine.plan import WholeFrame, on_clock
from llmsim.engine.seeds import mix
from llmsim.engine.timing import ChoiceClocks, PacedClock, TokenArrivals
from llmsim.providers.provider import Endpoint
from llmsim.recordings.conversion.completion import TimedChoice, streamed, together, whole
from llmsim.recordings.conversion.said import SaidChoice, choices, failure
from llmsim.recordings.ids import with_fresh_request
from llmsim.recordings.played import Played
from llmsim.recordings.recording import ResponseEnd


class Wanted(NamedTuple):
    """What is asked for, and what the answer is made with."""

    request: Request
    endpoint: Endpoint
    settings: ModelSettings
    stamp: Stamp


def converted(recordings: Sequence[Played], wanted: Wanted) -> Plan | None:
    """The answer that these recordings make together; None where nothing can be made of the
    first. Of others what cannot be used is left out; where there is too little, it comes again."""
    first = recordings[0]
    streams = first.recording.stream
    if not 200 <= first.recording.response.status < 300:
        return first.plan(wanted.stamp)
    if first.recording.response.end is not ResponseEnd.WHOLE:
        return _broken(first, wanted)
    used: list[Played] = []
    said: list[TimedChoice] = []
    for one in recordings:
        if one.recording.response.end is ResponseEnd.WHOLE:
            found = choices(one.frames)
            used += [one] if found else []
            said += [TimedChoice(choice, one.times) for choice in found]
    failed = failure(first.frames) if streams and not wanted.request.stream else None
    if failed is not None:
        return _plain(failed.body, failed.status, first, wanted, None)
    if not said:
        return None
    said = [said[place % len(said)] for place in range(max(wanted.request.n, 1))]
    usage = together([one.usage for one in used])
    ended = max(one.ended for one in used)
    if wanted.request.stream:
        accept = first.recording.response.at * first.ended / (first.recording.response.ended or 1)
        made = (
            _retimed(said, usage, min(accept, ended), ended, wanted)
            if streams
            else _paced([one.said for one in said], usage, ended, wanted)
        )
        return structs.replace(made, headers=_head(made, first, wanted))
    tokenizer = wanted.settings.tokenizer
    completion = whole((one.said for one in said), usage, tokenizer, pieces=False)
    body = wanted.endpoint.codec.plain(wanted.request, completion, wanted.stamp)
    return _plain(body, 200, max(used, key=lambda one: one.ended), wanted, completion)


def _plain(
    body: bytes, status: int, source: Played, wanted: Wanted, completion: Completion | None
) -> Plan:
    """A whole answer, when the recorded one had ended."""
    ended = source.ended
    made = Plan(
        status,
        WholeFrame(body),
        np.array([ended]),
        False,
        ended,
        ended,
        0,
        completion or Completion((), source.usage),
    )
    return structs.replace(made, headers=_head(made, source, wanted))


def _retimed(
    said: Sequence[TimedChoice], usage: Usage, accept: float, ended: float, wanted: Wanted
) -> Plan:
    """A stream of choices that were streamed, each at its own times."""
    completion, clock = streamed(said, usage, accept, ended)
    return on_clock(_script(completion, wanted), completion, clock, 0)


def _paced(said: Sequence[SaidChoice], usage: Usage, ended: float, wanted: Wanted) -> Plan:
    """A stream of choices that came whole: it ends when they had come, and until then has the pace
    of its model."""
    completion = whole(said, usage, wanted.settings.tokenizer, pieces=True)
    draws = wanted.settings.draws
    counts = [choice.beats for choice in completion.choices]
    clocks = [TokenArrivals(draws, tokens, mix(0, place)) for place, tokens in enumerate(counts)]
    clock = ChoiceClocks(clocks, counts)
    factor = ended / clock.last if clock.last else 1.0
    paced = PacedClock(clock, 0.0 if clock.last else ended, factor, factor)
    return on_clock(_script(completion, wanted), completion, paced, 0)


def _script(completion: Completion, wanted: Wanted) -> StreamScript:
    # A request asks for a stream only where its codec writes them.
    codec = cast("StreamCodec", wanted.endpoint.codec)
    return codec.script(wanted.request, completion, wanted.stamp)


def _broken(source: Played, wanted: Wanted) -> Plan:
    """A stream that broke off, asked for as a plain answer: it is not there when the connection
    breaks."""
    made = source.plan(wanted.stamp)
    if wanted.request.stream or not source.recording.stream:
        return made
    return structs.replace(
        made,
        frames=FrameList([b""]),
        due=np.array([source.ended]),
        ending=ConnectionEnd.UNANSWERED,
    )


def _head(made: Plan, source: Played, wanted: Wanted) -> Headers:
    """The recorded head with an id of its own, and the content type of what is sent."""
    own = dict(wanted.endpoint.headers(made, wanted.stamp))["content-type"]
    recorded = [pair for pair in source.headers if pair[0] != "content-type"]
    return [*with_fresh_request(recorded, wanted.stamp), ("content-type", own)]
