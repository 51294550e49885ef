"""Anthropic's lists: one page of them, and what the query asks for (``pagination.SyncPage``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from msgspec import Struct

from llmsim.core.errors import invalid

USUAL = 20
MOST = 1000

Query: TypeAlias = Mapping[str, list[str]]


class Window(Struct, frozen=True):
    """Which part of a list: ``limit`` objects right after ``after``, or right before ``before``,
    or from the first. ``strict`` refuses ids that are not in the list."""

    limit: int = USUAL
    after: str | None = None
    before: str | None = None
    strict: bool = False


def window(query: Query, strict: bool = False) -> Window:
    """What the query asks for. Raises BadRequest.

    Of two ids where there may be one, ``after_id`` counts unless ``strict``.
    """
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
        if strict:
            raise invalid("after_id: Only one of after_id and before_id may be given", "after_id")
        before = None
    return Window(limit, after or None, before or None, strict)


def cut(ids: Sequence[str], wanted: Window) -> tuple[slice, bool]:
    """The part of a list with those ids that is wanted, and whether more lies beyond it.

    An id that is not in the list has nothing beside it. Raises BadRequest for one if strict.
    """
    cursor = wanted.before or wanted.after
    if cursor is not None and cursor not in ids:
        check_stale(wanted)
        return slice(0, 0), False
    if wanted.before is not None:
        stop = ids.index(wanted.before)
        start = max(0, stop - wanted.limit)
        return slice(start, stop), start > 0
    start = 0 if wanted.after is None else ids.index(wanted.after) + 1
    stop = start + wanted.limit
    return slice(start, stop), stop < len(ids)


def check_stale(wanted: Window) -> None:
    """A cursor that points nowhere. Raises BadRequest if strict."""
    if wanted.strict:
        param = "after_id" if wanted.before is None else "before_id"
        cursor = wanted.before or wanted.after
        raise invalid(f"{param}: No object with id `{cursor}` is in this list", param)


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
