"""Anthropic's lists: one page of them, and what the query asks for (``pagination.SyncPage``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from msgspec import Struct

from llmsim.errors import invalid

USUAL = 20
MOST = 1000

Query: TypeAlias = Mapping[str, list[str]]


class Window(Struct, frozen=True):
    """Which part of a list: ``limit`` objects right after ``after``, or right before ``before``,
    or from the first."""

    limit: int = USUAL
    after: str | None = None
    before: str | None = None


def window(query: Query) -> Window:
    """What the query asks for. Raises BadRequest."""
    given = query.get("limit", [str(USUAL)])[-1]
    if not given.isascii() or not given.isdigit():
        raise invalid("limit: Input should be a valid integer", "limit")
    limit = int(given)
    if limit < 1:
        raise invalid("limit: Input should be greater than or equal to 1", "limit")
    if limit > MOST:
        raise invalid(f"limit: Input should be less than or equal to {MOST}", "limit")
    after = query.get("after_id", [None])[-1]
    before = query.get("before_id", [None])[-1]
    if after and before:
        raise invalid("after_id: Only one of after_id and before_id may be given", "after_id")
    return Window(limit, after or None, before or None)


def cut(ids: Sequence[str], wanted: Window) -> tuple[slice, bool]:
    """The part of a list with those ids that is wanted, and whether more lies beyond it.

    Raises BadRequest for an id that is not in the list.
    """
    if wanted.before is not None:
        stop = _place(ids, wanted.before, "before_id")
        start = max(0, stop - wanted.limit)
        return slice(start, stop), start > 0
    start = 0 if wanted.after is None else _place(ids, wanted.after, "after_id") + 1
    stop = start + wanted.limit
    return slice(start, stop), stop < len(ids)


def _place(ids: Sequence[str], wanted: str, param: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise stale(param, wanted) from None


def stale(param: str, wanted: str) -> Exception:
    """The exception for a cursor that points nowhere."""
    return invalid(f"{param}: No object with id `{wanted}` is in this list", param)


def page(objects: Sequence[Mapping[str, Any]], more: bool) -> bytes:
    """One page."""
    ids = [one["id"] for one in objects]
    return orjson.dumps(
        {
            "data": objects,
            "has_more": more,
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
        }
    )
