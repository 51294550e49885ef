"""Where requests go: one service for each provider, at addresses that are allowed."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from llmsim.providers.registry import PROVIDERS

PROVIDER_NAMES: Final = tuple(provider.name for provider in PROVIDERS)

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class UpstreamError(ValueError):
    """An upstream that cannot be one; the message names it."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A provider's service: ``url`` without a slash at its end. A path of ``/v1`` that it ends in
    is the one that requests bring along, too, and counts once."""

    provider: str
    url: str

    def target(self, path: str, query: str) -> str:
        """The URL of a request."""
        base = self.url
        for version in ("/v1", "/v1beta", "/v1alpha"):
            if base.endswith(version) and path.startswith(version + "/"):
                base = base[: -len(version)]
        return f"{base}{path}{'?' if query else ''}{query}"


def upstream(text: str) -> Upstream:
    """The upstream of ``PROVIDER=URL``. Raises UpstreamError."""
    provider, equals, url = text.partition("=")
    if provider not in PROVIDER_NAMES or not equals:
        raise UpstreamError(f"{text}: must be PROVIDER=URL, with {', '.join(PROVIDER_NAMES)}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UpstreamError(f"{text}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UpstreamError(f"{text}: {url or 'nothing'} is no http:// or https:// URL")
    if parts.query or parts.fragment or parts.username is not None:
        raise UpstreamError(f"{text}: must have no query, fragment or user")
    return Upstream(provider, url.rstrip("/"))


class AllowedAddresses:
    """Which addresses may be called: all public ones, and those that are named.

    ``named`` are hosts, addresses or networks (``10.0.0.0/8``). Raises UpstreamError for what is
    none of these.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        for name in named:
            try:
                self._networks.append(ipaddress.ip_network(name, strict=False))
            except ValueError:
                if "/" in name or not name:
                    raise UpstreamError(f"{name!r} is no host, address or network") from None
                self._hosts.add(name.lower())

    def check(self, url: str) -> None:
        """Look where a URL leads. Raises UpstreamError for an address that is not allowed, or a
        name that has none."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host in self._hosts:
            return
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise UpstreamError(f"{host}: {error.strerror or error}") from None
        for *_, address in found:
            if not self._allows(ipaddress.ip_address(str(address[0]).partition("%")[0])):
                raise UpstreamError(f"{host} is at {address[0]}, which is private; --allow {host}")

    def _allows(self, address: Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        return address.is_global or any(address in network for network in self._networks)


def by_provider(texts: Iterable[str]) -> Mapping[str, Upstream]:
    """The upstreams of several ``PROVIDER=URL``. Raises UpstreamError, also for two of the same
    provider."""
    found: dict[str, Upstream] = {}
    for text in texts:
        one = upstream(text)
        if one.provider in found:
            raise UpstreamError(f"{text}: {one.provider} has another upstream already")
        found[one.provider] = one
    return found
