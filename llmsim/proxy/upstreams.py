"""Where requests go: one service for each provider, at addresses that are allowed."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from llmsim.core.upstream.url import service_url
from llmsim.providers.registry import PROVIDERS

PROVIDER_NAMES: Final = tuple(provider.name for provider in PROVIDERS)

KNOWN: Final = 5.0
"""Seconds for which a name's addresses are not looked up again."""

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
NAMED: Final = f"must be PROVIDER=URL, with {', '.join(PROVIDER_NAMES)}"


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


def named(text: str) -> tuple[str, str]:
    """Provider and URL of ``PROVIDER=URL``. Raises UpstreamError."""
    provider, equals, url = text.partition("=")
    if not equals:
        raise UpstreamError(f"{text}: {NAMED}")
    return provider, url


class AllowedAddresses:
    """Which addresses may be called: all public ones, and those that are named.

    ``named`` are hosts, addresses or networks (``10.0.0.0/8``). Raises UpstreamError for what is
    none of these.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        self._looked: dict[str, float] = {}
        for name in named:
            try:
                self._networks.append(ipaddress.ip_network(name, strict=False))
            except ValueError:
                if "/" in name or not name:
                    raise UpstreamError(f"{name!r} is no host, address or network") from None
                self._hosts.add(name.lower())

    async def checked(self, url: str) -> None:
        """:meth:`check`, without keeping others waiting for the look-up of a name."""
        host = urlsplit(url).hostname or ""
        if host not in self._hosts and self._looked.get(host, -KNOWN) + KNOWN < time.monotonic():
            await asyncio.to_thread(self.check, url)
            self._looked[host] = time.monotonic()

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


def by_provider(services: Iterable[tuple[str, str]]) -> Mapping[str, Upstream]:
    """The upstreams of providers with their URLs. Raises UpstreamError, also for two of the same
    provider."""
    found: dict[str, Upstream] = {}
    for provider, url in services:
        text = f"{provider}={url}"
        if provider not in PROVIDER_NAMES:
            raise UpstreamError(f"{text}: {NAMED}")
        if provider in found:
            raise UpstreamError(f"{text}: {provider} has another upstream already")
        try:
            found[provider] = Upstream(provider, service_url(url))
        except ValueError as error:
            raise UpstreamError(f"{text}: {error}") from None
    return found
