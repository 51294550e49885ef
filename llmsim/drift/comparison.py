"""What differs between recorded answers and llmsim's own, over all recordings of an endpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct

from llmsim.drift.asking import OwnAnswer, OwnAnswers
from llmsim.drift.shapes import AnswerShape, shape
from llmsim.recordings.answers import complete
from llmsim.recordings.conversion.said import failure
from llmsim.recordings.recording import Recording, ResponseEnd, Transport

ORDERS: Final = 3
"""Different orders of events that are shown of an endpoint."""

Place = tuple[str, str]


class Drift(Struct, frozen=True, omit_defaults=True):
    """One difference. ``kind`` is ``status``, ``event``, ``order``, ``field``, ``type`` or
    ``header``; ``place`` says where, ``recorded`` and ``llmsim`` what each has there (nothing:
    ""). ``count`` is in how many recordings, of which one is ``recording``."""

    kind: str
    place: str
    recorded: str
    llmsim: str
    count: int
    recording: str

    @property
    def name(self) -> str:
        """What it is left out by."""
        return f"{self.kind}:{self.place}"


class EndpointDrift(Struct, frozen=True):
    """What differs at an endpoint, plain or streamed, in ``compared`` recordings."""

    endpoint: str
    stream: bool
    compared: int
    drifts: list[Drift]


class DriftReport(Struct, frozen=True):
    """All of it. ``left_out`` counts recordings that were not compared, by the reason."""

    compared: int
    left_out: dict[str, int]
    endpoints: list[EndpointDrift]

    @property
    def drifted(self) -> bool:
        """Whether anything differs."""
        return any(one.drifts for one in self.endpoints)


def compare(
    recordings: Iterable[Recording], own: OwnAnswers, ignored: Iterable[str] = ()
) -> DriftReport:
    """Compare recorded answers with llmsim's own. ``ignored`` are shell patterns of what may
    differ, such as ``header:openai-*`` or ``field:body usage.*``."""
    patterns = tuple(ignored)
    left_out: Counter[str] = Counter()
    found: dict[tuple[str, bool], _Endpoint] = {}
    for one in recordings:
        reason = _not_comparable(one)
        answer = own.answer(one) if not reason else None
        if answer is None:
            left_out[reason or f"no endpoint {one.request.path}"] += 1
            continue
        endpoint = found.setdefault((one.endpoint, one.stream), _Endpoint())
        endpoint.add(one, answer)
    endpoints = [
        EndpointDrift(name, stream, made.compared, _wanted(made.drifts(), patterns))
        for (name, stream), made in sorted(found.items())
    ]
    compared = sum(one.compared for one in endpoints)
    return DriftReport(compared, dict(sorted(left_out.items())), endpoints)


def _wanted(drifts: Iterable[Drift], patterns: tuple[str, ...]) -> list[Drift]:
    return [
        one for one in drifts if not any(fnmatchcase(one.name, pattern) for pattern in patterns)
    ]


def _not_comparable(one: Recording) -> str:
    """Why a recording is not compared; "" if it is."""
    request, response = one.request, one.response
    if request.transport is not Transport.HTTP:
        return "WebSocket"
    if request.method != "POST":
        return f"{request.method} requests"
    if "multipart" in dict(request.headers).get("content-type", ""):
        return "forms"
    if response.end is not ResponseEnd.WHOLE and not complete(response.content):
        return "broken off"
    if one.stream and response.status < 400 and failure([response.content]):
        return "failed within the stream"
    return ""


@dataclass(slots=True)
class _Seen:
    """In how many recordings something was, the first of which is named."""

    count: int = 0
    first: str = ""
    types: set[str] = field(default_factory=set)

    def add(self, name: str, types: Iterable[str] = ()) -> None:
        self.count += 1
        self.first = self.first or name
        self.types.update(types)


class _Endpoint:
    """What was seen at one endpoint, in recordings and in llmsim's answers."""

    def __init__(self) -> None:
        self.compared = 0
        self._statuses: dict[tuple[int, int, str], _Seen] = {}
        self._orders: dict[tuple[str, str], _Seen] = {}
        self._kinds: tuple[dict[str, _Seen], dict[str, _Seen]] = ({}, {})
        self._fields: tuple[dict[Place, _Seen], dict[Place, _Seen]] = ({}, {})
        self._headers: tuple[dict[str, _Seen], dict[str, _Seen]] = ({}, {})

    def add(self, one: Recording, answer: OwnAnswer) -> None:
        """Take one recording and llmsim's answer to its request into account."""
        self.compared += 1
        response = one.response
        if response.status != answer.status:
            key = (response.status, answer.status, answer.refusal)
            self._statuses.setdefault(key, _Seen()).add(one.id)
            return
        shapes = (
            shape(response.status, response.headers, response.content),
            shape(answer.status, answer.headers, answer.body),
        )
        recorded, own = (_steps(each) for each in shapes)
        if recorded != own:
            self._orders.setdefault((recorded, own), _Seen()).add(one.id)
        for side, made in enumerate(shapes):
            for kind in made.kinds:
                self._kinds[side].setdefault(kind, _Seen()).add(one.id)
            for place, types in made.fields.items():
                self._fields[side].setdefault(place, _Seen()).add(one.id, types)
            for header in made.headers:
                self._headers[side].setdefault(header, _Seen()).add(one.id)

    def drifts(self) -> Iterator[Drift]:
        """What differs."""
        for (status, own, refusal), seen in self._statuses.items():
            said = f"{own}: {refusal}" if refusal else str(own)
            yield Drift("status", str(status), str(status), said, seen.count, seen.first)
        yield from _one_sided("event", *self._kinds)
        for (recorded, own_order), seen in list(self._orders.items())[:ORDERS]:
            yield Drift("order", "", recorded, own_order, seen.count, seen.first)
        yield from self._field_drifts()
        yield from _one_sided("header", *self._headers)

    def _field_drifts(self) -> Iterator[Drift]:
        """Of a field that is missing with all that is in it, only itself."""
        recorded, own = self._fields
        for here, there, ours in ((recorded, own, False), (own, recorded, True)):
            kinds = self._kinds[0].keys() & self._kinds[1].keys()
            for (kind, path), seen in sorted(here.items()):
                if kind not in kinds or (kind, path) in there:
                    continue
                above = _above(path)
                if above and not _has(there, kind, above):
                    continue
                said = "/".join(sorted(seen.types)) or "null"
                theirs, own_said = ("", said) if ours else (said, "")
                yield Drift("field", f"{kind} {path}", theirs, own_said, seen.count, seen.first)
        for (kind, path), seen in sorted(recorded.items()):
            types = own[kind, path].types if (kind, path) in own else set()
            if types and seen.types and types != seen.types:
                said, own_said = ("/".join(sorted(each)) for each in (seen.types, types))
                yield Drift("type", f"{kind} {path}", said, own_said, seen.count, seen.first)


def _steps(made: AnswerShape) -> str:
    return " ".join(made.order)


def _one_sided(kind: str, recorded: dict[str, _Seen], own: dict[str, _Seen]) -> Iterator[Drift]:
    for name in sorted(recorded.keys() - own.keys()):
        yield Drift(kind, name, name, "", recorded[name].count, recorded[name].first)
    for name in sorted(own.keys() - recorded.keys()):
        yield Drift(kind, name, "", name, own[name].count, own[name].first)


def _above(path: str) -> str:
    """The path of what a field is in; "" for the document."""
    return path.rpartition(".")[0]


def _has(fields: dict[Place, _Seen], kind: str, above: str) -> bool:
    """Whether there is anything in what has that path."""
    return any(name == kind and path.startswith(f"{above}.") for name, path in fields)
