"""Cross-origin resource sharing (the Fetch standard, "CORS protocol"): pages in a browser may use
the providers' paths, with any headers, as those of the real services that allow it.

llmsim's own endpoints are for the pages of the origins alone that ``control.cors`` names.
"""

from __future__ import annotations

from typing import Final

from llmsim.core import Headers
from llmsim.providers.provider import RequestHeader
from llmsim.server.admin.auth import METRICS, is_own

METHODS: Final = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
_ANY: Final[Headers] = [
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*"),
]
_VARY = ("vary", "origin")


class Cors:
    """What pages of other origins may do. ``own`` are the origins that may use llmsim's own
    endpoints."""

    def __init__(self, own: tuple[str, ...]) -> None:
        self._own = frozenset(own)

    def headers(self, path: str, origin: str) -> Headers:
        """What an answer has for a page of that origin: nothing where it may not read it."""
        if not is_own(path) and path != METRICS:
            return _ANY
        if origin not in self._own:
            return []
        return [
            ("access-control-allow-origin", origin),
            ("access-control-expose-headers", "*"),
            _VARY,
        ]

    def preflight(self, method: str, path: str, header: RequestHeader) -> Headers | None:
        """The head of the answer to a browser that asks before it sends; None for anything else,
        and where it may not send."""
        origin = header("origin")
        if method != "OPTIONS" or origin is None:
            return None
        if header("access-control-request-method") is None:
            return None
        allowed = self.headers(path, origin)
        if not allowed:
            return None
        head = [*allowed, ("access-control-allow-methods", METHODS)]
        asked = header("access-control-request-headers")
        if asked is not None:
            head.append(("access-control-allow-headers", asked))
        if header("access-control-request-private-network") == "true":
            head.append(("access-control-allow-private-network", "true"))
        return [*head, ("access-control-max-age", "86400")]
