"""What is attacked, and the report of what happened to it."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from ssl import CERT_NONE, SSLContext, create_default_context
from typing import Any

from tests.live.http1 import Secured

SLOWEST = 2.0
"""Seconds an answer may take."""


def trusting_anyone() -> Secured:
    """How clients speak TLS that look at no certificate."""
    return Secured(_context("http/1.1"), _context("h2"))


def _context(protocol: str) -> SSLContext:
    context = create_default_context()
    context.check_hostname, context.verify_mode = False, CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


@dataclass
class Report:
    """What was sent and what was wrong."""

    sent: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    wrong: dict[str, str] = field(default_factory=dict)

    def fault(self, kind: str, example: object) -> None:
        """Something that must not happen; the first example of its kind is kept."""
        if self.wrong.setdefault(kind, str(example)[:2000]) == str(example)[:2000]:
            print(f"WRONG {kind}: {str(example)[:600]}", flush=True)

    def __str__(self) -> str:
        lines = [f"{number:>9,}  {kind}" for kind, number in sorted(self.sent.items())]
        lines.append(f"{sum(self.sent.values()):>9,}  in all")
        statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(self.statuses.items()))
        lines += [f"statuses   {statuses}", f"slowest    {self.slowest:.3f} s"]
        lines += [f"WRONG      {kind}\n           {one}" for kind, one in self.wrong.items()]
        return "\n".join(lines)


@dataclass
class Target:
    """A server on this machine, how long it is attacked and with which seed; ``tls`` is how its
    clients speak TLS, if they do."""

    port: int
    until: float
    seed: int
    tls: Secured | None = None
    report: Report = field(default_factory=Report)

    def going_on(self) -> bool:
        """Whether the attack's time is not up yet."""
        return time.monotonic() < self.until

    def connection(self, timeout: float) -> HTTPConnection:
        """A new connection; ``timeout`` is in seconds."""
        if self.tls is None:
            return HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        return HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls.http1)

    def stats(self) -> dict[str, Any]:
        """The server's own figures."""
        connection = self.connection(20)
        try:
            connection.request("GET", "/llmsim/stats")
            stats: dict[str, Any] = json.loads(connection.getresponse().read())
            return stats
        finally:
            connection.close()

    def settled(self, patience: float = 15.0) -> None:
        """Note it if requests are still open some seconds after the attack."""
        end = time.monotonic() + patience
        while (active := self.stats()["requests"]["active"]) and time.monotonic() < end:
            time.sleep(0.2)
        if active:
            self.report.fault("requests are still active", active)
