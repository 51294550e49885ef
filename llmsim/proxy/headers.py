"""Which headers are passed on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from llmsim.core import Headers

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Those of one connection, not of the message (RFC 9110, 7.6.1)."""

OURS: Final = "x-llmsim-"
VIA: Final = "via"


def to_upstream(headers: Iterable[tuple[str, str]], mark: str) -> Headers:
    """The request's headers as they are sent on. ``mark`` says who has passed it on.

    A compressed answer could not be read by whoever looks at the recording, so none is asked for.
    """
    named = list(headers)
    listed = _listed(named)
    kept = [
        (name, value)
        for name, value in named
        if name not in HOP_BY_HOP
        and name not in listed
        and name not in ("host", "content-length", "accept-encoding", VIA)
        and not name.startswith(OURS)
    ]
    before = [value for name, value in named if name == VIA]
    return [*kept, ("accept-encoding", "identity"), (VIA, ", ".join([*before, f"1.1 {mark}"]))]


def to_client(headers: Iterable[tuple[str, str]]) -> Headers:
    """The answer's headers as they are passed on."""
    named = [(name.lower(), value) for name, value in headers]
    listed = _listed(named)
    return [(name, value) for name, value in named if name not in HOP_BY_HOP and name not in listed]


def passed_here(headers: Iterable[tuple[str, str]], mark: str) -> bool:
    """Whether a request has been here before: it goes round in circles."""
    return any(name == VIA and mark in value for name, value in headers)


def _listed(headers: Iterable[tuple[str, str]]) -> set[str]:
    """What the ``Connection`` header names belongs to the connection, too."""
    values = (value for name, value in headers if name == "connection")
    return {name.strip().lower() for value in values for name in value.split(",")}
