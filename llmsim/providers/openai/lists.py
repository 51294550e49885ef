"""OpenAI's list objects: which page of one a query asks for, and the page as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from msgspec import Struct

from llmsim.core.codec import dumps
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid

Object: TypeAlias = dict[str, Any]

MOST = 100
"""The most items a page may have."""


class Paging(Struct, frozen=True):
    """Which part of a list is wanted. ``after`` is the id of the item before it, ``before`` that
    of the item after it, where the list can be read backwards."""

    limit: int = 20
    after: str | None = None
    newest_first: bool = True
    before: str | None = None


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
    """A page of a list; ``items`` is the whole list, oldest first. Raises BadRequest."""
    listed = list(reversed(items)) if wanted.newest_first else list(items)
    if wanted.after is not None:
        ids = [one["id"] for one in listed]
        if wanted.after not in ids:
            raise not_found("Item", wanted.after)
        listed = listed[ids.index(wanted.after) + 1 :]
    return envelope(listed, wanted.limit)


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
