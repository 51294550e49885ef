"""Which response headers a gateway adds, strips and renames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from llmsim.overhead.joining import Joined
from llmsim.overhead.report import HeaderChanges

HOPS: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date"})
"""Headers of a connection and not of an answer, and the one every server adds."""
TOO_SHORT: Final = 4
"""A constant value below this length says nothing about where it came from."""


def header_changes(through: Iterable[Joined], direct: Iterable[Joined]) -> HeaderChanges:
    """Compare the headers of good answers. A header that is missing and one that is new are the
    same under another name if they have the same value: the same constant, or both the same fact
    about the request (its id, seed or planned times)."""
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


def _meanings(found: Iterable[Joined]) -> Mapping[str, set[str]]:
    """What each header's values are, over all good answers."""
    values: dict[str, set[str]] = {}
    for one in found:
        if one.seen.error is None:
            for name, value in one.seen.headers:
                if name not in HOPS:
                    values.setdefault(name, set()).add(_meaning(value, one))
    return values


def _meaning(value: str, one: Joined) -> str:
    if one.records:
        record = one.records[-1]
        if record.id in value:
            return "the id of the request"
        if value == str(record.seed):
            return "the seed of the answer"
    return "planned times" if "ttft;dur=" in value else value


def _same(some: set[str], others: set[str]) -> bool:
    return bool(some & others) and all(len(value) >= TOO_SHORT for value in some & others)
