"""Where a request goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

KEPT: Final = "!$%&'()*+,;=:@/?~[]|"
"""What may stand in a path or query; all else is escaped."""

PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A service's scheme, host and port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As ``Host`` has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request on its way: ``target`` is its path and query."""

    method: str
    origin: Origin
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def to(cls, method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> Outgoing:
        """A request to a URL."""
        parts = urlsplit(url)
        origin = Origin(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme])
        path = quote(parts.path, safe=KEPT) or "/"
        query = f"?{quote(parts.query, safe=KEPT)}" if parts.query else ""
        return cls(method, origin, path + query, headers, body)

    @property
    def length(self) -> list[tuple[str, str]]:
        """The header that says how long its body is."""
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            return [("content-length", str(len(self.body)))]
        return []
