"""Which headers of requests and responses a gateway adds, strips and renames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from llmsim.overhead.joining import Joined
from llmsim.overhead.journal import JournalReader, JournalRecord
from llmsim.overhead.report import HeaderChanges

HOPS: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date"})
"""Headers of a connection and not of an answer, and the one every server adds."""
TOO_SHORT: Final = 4
"""A constant value below this length says nothing about where it came from."""
LOOKED_AT: Final = 8
"""Requests of each way whose headers llmsim is asked for."""


Facts = tuple[Sequence[tuple[str, str]], JournalRecord | None]
"""The headers of one request or answer, and what llmsim knows about the request."""


def header_changes(through: Iterable[Joined], direct: Iterable[Joined]) -> HeaderChanges:
    """Compare the headers of good answers."""
    return changes(map(_facts, _good(through)), map(_facts, _good(direct)))


def request_header_changes(
    through: Iterable[Joined], direct: Iterable[Joined], journal: JournalReader
) -> HeaderChanges:
    """Compare the headers that llmsim had with requests, of some of which it knows them. Raises
    JournalError."""
    return changes(_had(through, journal), _had(direct, journal))


def changes(through: Iterable[Facts], direct: Iterable[Facts]) -> HeaderChanges:
    """A header that is missing and one that is new are the same under another name if they have
    the same value: the same constant, or both the same fact about the request (its id, seed or
    planned times)."""
    passed, plain = _meanings(through), _meanings(direct)
    if not passed or not plain:
        return HeaderChanges([], [], {})
    added = sorted(passed.keys() - plain.keys())
    stripped = sorted(plain.keys() - passed.keys())
    renamed: dict[str, str] = {}
    for name in stripped:
        same = [one for one in added if _same(passed[one], plain[name])]
        named = [one for one in added if one.endswith(name)]
        if same or named:
            renamed[name] = min(named or same, key=len)
    return HeaderChanges(
        [one for one in added if one not in renamed.values()],
        [one for one in stripped if one not in renamed],
        renamed,
    )


def _good(found: Iterable[Joined]) -> Iterator[Joined]:
    return (one for one in found if one.seen.error is None)


def _facts(one: Joined) -> Facts:
    return one.seen.headers, one.records[-1] if one.records else None


def _had(found: Iterable[Joined], journal: JournalReader) -> Iterator[Facts]:
    known = (one.records[-1] for one in _good(found) if one.records)
    for record in list(known)[-LOOKED_AT:]:
        whole = journal.record(record.id)
        if whole is not None and whole.details is not None:
            yield [(name.lower(), value) for name, value in whole.details.headers], None


def _meanings(found: Iterable[Facts]) -> Mapping[str, set[str]]:
    """What each header's values are, over all requests."""
    values: dict[str, set[str]] = {}
    for headers, record in found:
        for name, value in headers:
            if name not in HOPS:
                values.setdefault(name, set()).add(_meaning(value, record))
    return values


def _meaning(value: str, record: JournalRecord | None) -> str:
    if record is not None:
        if record.id in value:
            return "the id of the request"
        if value == str(record.seed):
            return "the seed of the answer"
    return "planned times" if "ttft;dur=" in value else value


def _same(some: set[str], others: set[str]) -> bool:
    return bool(some & others) and all(len(value) >= TOO_SHORT for value in some & others)
