"""Anthropic's lists: which page of one a query asks for, and the page as JSON
(``pagination.SyncPage``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from msgspec import Struct

from llmsim.core.errors import invalid

DEFAULT_LIMIT = 20
MOST = 1000  # objects a page may have

Query: TypeAlias = Mapping[str, list[str]]


class Window(Struct, frozen=True):
    """Which part of a list is wanted: ``limit`` objects right after the id ``after``, or right
    before the id ``before``, or from the first. ``strict`` refuses ids that are not in the list."""

    limit: int = DEFAULT_LIMIT
    after: str | None = None
    before: str | None = None
    strict: bool = False


def window(query: Query, strict: bool = False) -> Window:
    """The part that the query asks for. Raises BadRequest.

    Only one id is allowed: of two, ``after_id`` counts, unless ``strict``.
    """
    number = query.get("limit", [str(DEFAULT_LIMIT)])[-1]
    if not number.isascii() or not number.isdigit():
        raise invalid("limit: Input should be a valid integer", "limit")
    limit = int(number)
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
    """The wanted part of a list with those ids, and whether there is more beyond it.

    It is empty for an id that is not in the list. Raises BadRequest for one if strict.
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
    """Raises BadRequest, if strict, for a cursor that is not in the list."""
    if wanted.strict:
        param = "after_id" if wanted.before is None else "before_id"
        cursor = wanted.before or wanted.after
        raise invalid(f"{param}: No object with id `{cursor}` is in this list", param)


def page(objects: Sequence[Mapping[str, Any]], more: bool) -> bytes:
    """One page as JSON; ``more`` says whether the list goes on."""
    ids = [one["id"] for one in objects]
    return orjson.dumps(
        {
            "data": objects,
            "has_more": more,
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
        }
    )
