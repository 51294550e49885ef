"""OpenAI's list objects: which page of one a query asks for, and the page as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import orjson
from msgspec import Struct, structs

from llmsim.core.codec import dumps
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid

Object: TypeAlias = dict[str, Any]
_Item = TypeVar("_Item")

MOST = 100
"""The most items a page may have."""


class Paging(Struct, frozen=True):
    """Which part of a list is wanted. ``after`` is the id of the item before it, ``before`` that
    of the item after it; with ``before`` alone the part is the one that ends there."""

    limit: int = 20
    after: str | None = None
    newest_first: bool = True
    before: str | None = None

    @property
    def backwards(self) -> bool:
        """Whether the part is found from its end."""
        return self.before is not None and self.after is None

    def reading(self) -> Paging:
        """The same part, as a list is read for it: from ``before`` backwards if that is alone."""
        if not self.backwards:
            return self
        return structs.replace(
            self, after=self.before, before=None, newest_first=not self.newest_first
        )

    def shown(self, read: Sequence[_Item]) -> list[_Item]:
        """What was read with ``reading``, in the order in which it is shown. One item more than
        the limit stays last: it only says that there are more."""
        if not self.backwards:
            return list(read)
        return [*reversed(read[: self.limit]), *read[self.limit : self.limit + 1]]


def paging(query: Mapping[str, Sequence[str]], order: str = "desc") -> Paging:
    """The paging that a query's parameters ask for. Raises BadRequest.

    ``order`` is the default order. A limit of 0 is allowed: it asks whether the list has items.
    """
    limit = query.get("limit", ["20"])[-1]
    if not (limit.isascii() and limit.isdigit() and int(limit) <= MOST):
        message = f"Invalid 'limit': must be an integer from 0 to {MOST}, but got '{limit}'."
        raise invalid(message, "limit", "invalid_value")
    order = query.get("order", [order])[-1]
    if order not in ("asc", "desc"):
        message = f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'."
        raise invalid(message, "order", "invalid_value")
    after, before = query.get("after", [None])[-1], query.get("before", [None])[-1]
    return Paging(int(limit), after, order == "desc", before)


def page(items: Sequence[Object], wanted: Paging) -> bytes:
    """A page of a list; ``items`` is the whole list, oldest first. Raises BadRequest for a cursor
    that is not in it."""
    reading = wanted.reading()
    read = list(reversed(items)) if reading.newest_first else list(items)
    places = {one["id"]: place for place, one in enumerate(read)}
    for cursor in (reading.after, reading.before):
        if cursor is not None and cursor not in places:
            raise not_found("Item", cursor)
    start = 0 if reading.after is None else places[reading.after] + 1
    stop = len(read) if reading.before is None else places[reading.before]
    return envelope(wanted.shown(read[start:stop]), wanted.limit)


def envelope(listed: Sequence[Object], limit: int) -> bytes:
    """A list object with the first ``limit`` of the items."""
    return _envelope([one["id"] for one in listed], listed, limit)


def written_envelope(listed: Sequence[tuple[str, bytes]], limit: int) -> bytes:
    """The same of items that are JSON already, each after its id."""
    items = [orjson.Fragment(item) for _, item in listed]
    return _envelope([name for name, _ in listed], items, limit)


def _envelope(ids: Sequence[str], listed: Sequence[Any], limit: int) -> bytes:
    shown = ids[:limit]
    return dumps(
        {
            "object": "list",
            "data": listed[:limit],
            "first_id": shown[0] if shown else None,
            "last_id": shown[-1] if shown else None,
            "has_more": len(listed) > limit,
        }
    )


def not_found(what: str, name: str) -> BadRequest:
    """The exception for an object that does not exist."""
    return BadRequest(Failure(FailureKind.NOT_FOUND, f"{what} with id '{name}' not found."))
