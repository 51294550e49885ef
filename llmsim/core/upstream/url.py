"""The URLs of services."""

from __future__ import annotations

from urllib.parse import urlsplit


def service_url(url: str) -> str:
    """The URL of a service, without a slash at its end. Raises ValueError for one that is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"{url or 'nothing'} is no http:// or https:// URL")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{url} must have no query, fragment or user")
    return url.rstrip("/")
