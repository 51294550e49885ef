"""Recorded answers, ready to be replayed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from llmsim.core import Plan
from llmsim.core.mocks.replay import ReplaySettings
from llmsim.pipeline.context import RequestContext
from llmsim.pipeline.steps.replay import Asked
from llmsim.recordings import folder
from llmsim.recordings.anonymise.anonymiser import Anonymiser, AnonymiseRules
from llmsim.recordings.anonymise.finding import MODES
from llmsim.recordings.conversion.converted import Wanted, converted
from llmsim.recordings.ids import ids
from llmsim.recordings.matching.canonical import (
    Canonical,
    KeyFields,
    canonical,
    key,
    unchanged,
)
from llmsim.recordings.matching.nearest import nearest
from llmsim.recordings.matching.recorded import recorded_request
from llmsim.recordings.played import ENDS, Played
from llmsim.recordings.recording import Recording

COMPARED: Final = 1000
"""Recordings that are compared with a request that none answers."""

SHOWN: Final = 3
"""Differences that a message names."""

KEPT: Final = 1024
"""Recordings that are kept ready to be played."""

log = logging.getLogger("llmsim")


class Form(NamedTuple):
    """How an answer was asked for: as a stream, with so many choices."""

    stream: bool
    choices: int

    def distance(self, other: Form) -> tuple[bool, bool, int]:
        """How far an answer of the other form is from this one: it is better to put together
        choices than to make a stream of what was none."""
        return self.stream != other.stream, self.choices != other.choices, other.choices


@dataclass(frozen=True, slots=True)
class Matching:
    """The recordings of one request that were asked for in one form, for a request in another
    perhaps."""

    key: str
    recordings: Sequence[Recording]
    form: Form
    wanted: Form
    played: Callable[[Recording], Played]

    @property
    def count(self) -> int:
        return len(self.recordings)

    @property
    def taken(self) -> int:
        return -(-self.wanted.choices // self.form.choices)

    @property
    def converts(self) -> bool:
        return self.form != self.wanted

    def plan(self, places: Sequence[int], context: RequestContext) -> tuple[str, Plan] | None:
        call = context.call
        chosen = [self.played(self.recordings[place]) for place in places]
        if self.converts:
            wanted = Wanted(context.request, call.endpoint, context.settings, call.stamp)
            made = converted(chosen, wanted)
            if made is not None:
                return ", ".join(dict.fromkeys(one.recording.id for one in chosen)), made
            if self.form.stream != self.wanted.stream:
                return None
        return chosen[0].recording.id, chosen[0].plan(call.stamp)


class Answers:
    """The answers of some recordings, by their requests. Those whose client left are not whole, and
    left out."""

    def __init__(self, recordings: Iterable[Recording], settings: ReplaySettings) -> None:
        self._settings = settings
        self._fields = KeyFields(frozenset(settings.match_also), frozenset(settings.match_never))
        kept = [one for one in recordings if one.response.end in ENDS]
        modes = [one.anonymised.mode for one in kept if one.anonymised]
        self._kinds = _kinds(modes)
        self._by_key: dict[str, dict[Form, list[Recording]]] = {}
        self._by_id = {one.id: one for one in kept}
        self._requests: list[tuple[str, Canonical]] = []
        self._ready: dict[str, Played] = {}
        for one in sorted(kept, key=lambda each: each.arrived):
            reduced = recorded_request(one, self._fields, self._kinds)
            forms = self._by_key.setdefault(key(reduced), {})
            forms.setdefault(_form(one), []).append(one)
            if len(self._requests) < COMPARED:
                self._requests.append((one.id, reduced))

    def __contains__(self, name: str) -> bool:
        """Whether there is a recording of that id."""
        return name in self._by_id

    @property
    def total(self) -> int:
        """How many recordings there are."""
        return len(self._by_id)

    @property
    def lengthy(self) -> bool:
        """Whether finding the key of a request takes long: values are looked for in its text."""
        return self._kinds is not unchanged

    def find(self, asked: Asked) -> Matching | None:
        """The answers to a request, in the form that is nearest to what it asks for; None if there
        are none."""
        name = key(self._reduced(asked))
        forms = self._by_key.get(name)
        if forms is None:
            return None
        wanted = Form(asked.stream, max(asked.choices, 1))
        form = wanted if wanted in forms else min(forms, key=wanted.distance)
        way = "stream" if form.stream else "plain"
        return Matching(f"{name} {way} {form.choices}", forms[form], form, wanted, self._played)

    def one(self, name: str, asked: Asked) -> Matching | None:
        """The recording of that id as the answer to a request; None if there is none."""
        found = self._by_id.get(name)
        if found is None:
            return None
        wanted = Form(asked.stream, max(asked.choices, 1))
        return Matching(name, [found], _form(found), wanted, self._played)

    def miss(self, asked: Asked) -> str:
        """What to say to a request that has none."""
        if self.find(asked) is not None:
            recorded, wanted = (
                ("plain", "as a stream") if asked.stream else ("as a stream", "plain")
            )
            return (
                f"The answer to this request was recorded {recorded}, and cannot be sent {wanted}."
            )
        found = nearest(self._reduced(asked), self._requests)
        if found is None:
            return "There are no recordings to answer this request."
        places = "; ".join(map(str, found.differences[:SHOWN]))
        more = len(found.differences) - SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        return f"No recording answers this request. The nearest is {found.id}: {places}{rest}"

    def _reduced(self, asked: Asked) -> Canonical:
        about = asked.provider, asked.codec, asked.model, asked.body
        return canonical(*about, self._fields, self._kinds)

    def _played(self, one: Recording) -> Played:
        """A recording, ready to be played."""
        ready = self._ready.get(one.id)
        if ready is None:
            if len(self._ready) >= KEPT:
                self._ready.clear()
            renewed = ids(one) if self._settings.ids == "fresh" else None
            ready = self._ready[one.id] = Played(one, renewed, self._settings.speed)
        return ready


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


def _form(one: Recording) -> Form:
    """The form in which a recording was asked for."""
    try:
        body = orjson.loads(one.request.body.content)
    except orjson.JSONDecodeError:
        body = None
    choices: object = 1
    if isinstance(body, dict):
        config = body.get("generationConfig", body.get("generation_config"))
        choices = body.get("n")
        if isinstance(config, dict):
            choices = config.get("candidateCount", config.get("candidate_count"))
    return Form(one.stream, choices if isinstance(choices, int) and choices > 0 else 1)


def _kinds(modes: list[str]) -> Callable[[str], str]:
    """What writes the kinds of values in their places, as the strictest of these modes does."""
    if not modes:
        return unchanged
    strictest = max(modes, key=MODES.index)
    return Anonymiser(AnonymiseRules(strictest).finders()).kinds
