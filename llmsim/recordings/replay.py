"""Recorded answers, ready to be replayed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from llmsim.core import Completion, ConnectionEnd, Headers, Plan, Stamp, Usage
from llmsim.core.mocks.replay import ReplaySettings
from llmsim.engine.faults.fault_context import FrameList
from llmsim.recordings import folder
from llmsim.recordings.anonymise.anonymiser import Anonymiser, AnonymiseRules
from llmsim.recordings.anonymise.finding import MODES
from llmsim.recordings.matching.canonical import (
    Canonical,
    KeyFields,
    canonical,
    key,
    unchanged,
)
from llmsim.recordings.matching.nearest import nearest
from llmsim.recordings.matching.recorded import recorded_request
from llmsim.recordings.recording import Recording, ResponseEnd
from llmsim.recordings.rows import row

COMPARED: Final = 1000
"""Recordings that are compared with a request that none answers."""

SHOWN: Final = 3
"""Differences that a message names."""

OWN: Final = frozenset(
    {"content-length", "content-encoding", "date", "server", "server-timing", "x-llmsim-seed"}
)
"""Headers that are the server's or of the time they were sent."""

ENDS: Final = {
    ResponseEnd.WHOLE: ConnectionEnd.WHOLE,
    ResponseEnd.CUT: ConnectionEnd.CUT,
    ResponseEnd.TIMEOUT: ConnectionEnd.CUT,
    ResponseEnd.RESET: ConnectionEnd.RESET,
    ResponseEnd.UNANSWERED: ConnectionEnd.UNANSWERED,
}

log = logging.getLogger("llmsim")


class Answers:
    """The answers of some recordings, by their requests. Those whose client left are not whole, and
    left out."""

    def __init__(self, recordings: Iterable[Recording], settings: ReplaySettings) -> None:
        self._settings = settings
        self._fields = KeyFields(frozenset(settings.match_also), frozenset(settings.match_never))
        kept = [one for one in recordings if one.response.end in ENDS]
        modes = [one.anonymised.mode for one in kept if one.anonymised]
        self._kinds = _kinds(modes)
        self._by_key: dict[str, list[Recording]] = {}
        self._requests: list[tuple[str, Canonical]] = []
        for one in sorted(kept, key=lambda each: each.arrived):
            reduced = recorded_request(one, self._fields, self._kinds)
            self._by_key.setdefault(_name(reduced, one.stream), []).append(one)
            if len(self._requests) < COMPARED:
                self._requests.append((one.id, reduced))

    @property
    def total(self) -> int:
        """How many recordings there are."""
        return sum(map(len, self._by_key.values()))

    @property
    def lengthy(self) -> bool:
        """Whether finding the key of a request takes long: values are looked for in its text."""
        return self._kinds is not unchanged

    def key(self, provider: str, codec: str, model: str, stream: bool, body: bytes) -> str:
        """What all requests share that the same recordings answer."""
        return _name(self._reduced(provider, codec, model, body), stream)

    def count(self, name: str) -> int:
        """How many answers there are to a key."""
        return len(self._by_key.get(name, ()))

    def plan(self, name: str, place: int, stamp: Stamp) -> tuple[str, Plan]:
        """The id of one of the recordings, and its answer."""
        one = self._by_key[name][place]
        return one.id, planned(one, self._settings, stamp)

    def miss(self, provider: str, codec: str, model: str, stream: bool, body: bytes) -> str:
        """What to say to a request that has none."""
        reduced = self._reduced(provider, codec, model, body)
        if self.count(_name(reduced, not stream)):
            recorded, wanted = ("plain", "as a stream") if stream else ("as a stream", "plain")
            return f"The answer to this request was recorded {recorded}, not {wanted}."
        found = nearest(reduced, self._requests)
        if found is None:
            return "There are no recordings to answer this request."
        places = "; ".join(map(str, found.differences[:SHOWN]))
        more = len(found.differences) - SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        return f"No recording answers this request. The nearest is {found.id}: {places}{rest}"

    def _reduced(self, provider: str, codec: str, model: str, body: bytes) -> Canonical:
        return canonical(provider, codec, model, body, self._fields, self._kinds)


def _name(reduced: Canonical, stream: bool) -> str:
    """A request's key: an answer that was streamed is none to a request for a plain one."""
    return f"{key(reduced)} {'stream' if stream else 'plain'}"


def loaded(settings: ReplaySettings) -> Answers:
    """The answers of the settings' folder or file, read once for all that ask. Raises OSError and
    ValueError."""
    path = Path(settings.path or "")
    stamps = tuple((str(file), file.stat().st_mtime_ns) for file in folder.files(path))
    return _loaded(settings, stamps)


@lru_cache(maxsize=1)
def _loaded(settings: ReplaySettings, stamps: tuple[tuple[str, int], ...]) -> Answers:
    recordings = (one for file, _ in stamps for one in folder.recordings(Path(file)))
    return Answers(recordings, settings)


def planned(one: Recording, settings: ReplaySettings, stamp: Stamp) -> Plan:
    """A recording as a plan: its frames at their times."""
    response = one.response
    frames = [frame.body.content for frame in response.frames]
    times = [frame.at / settings.speed for frame in response.frames]
    ended = response.ended / settings.speed
    headers = [pair for pair in response.headers if pair[0] not in OWN]
    name = one.correlation.get("answer", "")
    if settings.ids == "fresh" and name:
        frames = with_id(frames, name, fresh(name, stamp))
    if not one.stream and response.end is ResponseEnd.WHOLE:
        frames, times = [b"".join(frames)], [ended]
    elif not frames:
        frames, times = [b""], [ended]
    elif response.end is not ResponseEnd.WHOLE and ended > times[-1]:
        # The connection breaks after the last frame: one without a byte waits until then.
        frames, times = [*frames, b""], [*times, ended]
    return Plan(
        response.status or 200,
        FrameList(frames),
        np.array(times),
        one.stream or response.end is not ResponseEnd.WHOLE,
        (row(one).ttft or response.ended) / settings.speed,
        ended,
        0,
        Completion((), _usage(one)),
        ending=ENDS[response.end],
        headers=_with_type(headers),
    )


def fresh(name: str, stamp: Stamp) -> str:
    """Another id of the same form: its prefix, and as many characters of the stamp's mark."""
    prefix, underscore, rest = name.rpartition("_" if "_" in name else "-")
    mark = (stamp.mark * (len(rest) // len(stamp.mark) + 1))[: len(rest)]
    return prefix + underscore + mark


def with_id(frames: list[bytes], name: str, new: str) -> list[bytes]:
    """The frames with another id, of the same length, also where it is cut between them."""
    whole = b"".join(frames).replace(name.encode(), new.encode())
    made, at = [], 0
    for frame in frames:
        made.append(whole[at : at + len(frame)])
        at += len(frame)
    return made


def _usage(one: Recording) -> Usage:
    usage = one.usage
    if usage is None:
        return Usage(0, 0)
    return Usage(usage.prompt, usage.completion, usage.reasoning, usage.cached)


def _with_type(headers: Headers) -> Headers:
    if any(name == "content-type" for name, _ in headers):
        return headers
    return [*headers, ("content-type", "application/json")]


def _kinds(modes: list[str]) -> Callable[[str], str]:
    """What writes the kinds of values in their places, as the strictest of these modes does."""
    if not modes:
        return unchanged
    strictest = max(modes, key=MODES.index)
    return Anonymiser(AnonymiseRules(strictest).finders()).kinds
