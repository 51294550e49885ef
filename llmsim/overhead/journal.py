"""What llmsim remembers of the requests it got, over its control API."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult

import msgspec

MOST: Final = 1000
"""Requests that one listing has."""
TIMEOUT: Final = 30.0


class JournalError(Exception):
    """The journal cannot be read; the message says why."""


class Times(msgspec.Struct, frozen=True):
    """Milliseconds after arrival; None until known."""

    first_ms: float | None = None
    ttft_ms: float | None = None
    total_ms: float | None = None


class FrameCounts(msgspec.Struct, frozen=True):
    planned: int = 0
    sent: int = 0


class JournalRecord(msgspec.Struct, frozen=True):
    """One request as ``GET /llmsim/requests`` has it."""

    id: str
    arrived: float
    endpoint: str = ""
    model: str = ""
    status: int | None = None
    seed: int = 0
    planned: Times = Times()
    actual: Times = Times()
    arrival_lag_ms: float = 0.0
    lateness_max_ms: float | None = None
    output_lag_max_ms: float | None = None
    frames: FrameCounts = FrameCounts()
    stream: bool = False
    tokens: dict[str, int] = {}


class JournalReader:
    """The journal of one llmsim. Raises JournalError."""

    def __init__(
        self, url: SplitResult, token: str | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._url = url
        self._headers = {"accept": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._connection: HTTPConnection = (
            HTTPSConnection(url.netloc, timeout=TIMEOUT, context=context)
            if url.scheme == "https"
            else HTTPConnection(url.netloc, timeout=TIMEOUT)
        )

    def since(self, moment: float) -> tuple[list[JournalRecord], bool]:
        """The requests that arrived since then (Unix, seconds), and whether these are all: a
        listing has 1,000."""
        found = self._get(f"/llmsim/requests?limit={MOST}")
        records = msgspec.convert(found["requests"], list[JournalRecord])
        later = [one for one in records if one.arrived >= moment]
        return later, len(records) < MOST or len(later) < len(records)

    def record(self, name: str) -> tuple[JournalRecord, Any] | None:
        """One request by an id, with its body; None if it is not remembered."""
        found = self._get(f"/llmsim/requests/{name}", missing=True)
        if found is None:
            return None
        return msgspec.convert(found, JournalRecord), found.get("request")

    def records(self, names: Iterable[str]) -> list[JournalRecord]:
        """Those of the requests that are remembered."""
        found = (self.record(name) for name in names)
        return [one[0] for one in found if one is not None]

    def close(self) -> None:
        self._connection.close()

    def _get(self, path: str, missing: bool = False) -> Any:
        where = f"{self._url.scheme}://{self._url.netloc}{self._url.path}"
        try:
            self._connection.request("GET", self._url.path + path, headers=self._headers)
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            why = getattr(error, "strerror", None) or error or type(error).__name__
            raise JournalError(f"{where}: {why}") from None
        if response.status == 404 and missing:
            return None
        if response.status == 401:
            raise JournalError(f"{where}: a token is required: --token or LLMSIM_TOKEN")
        try:
            decoded = json.loads(body)
        except ValueError:
            decoded = None
        if response.status != 200 or not isinstance(decoded, dict):
            raise JournalError(f"{where}{path}: is this llmsim? ({response.status})")
        return decoded
