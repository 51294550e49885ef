"""What llmsim remembers of the requests it got, over its control API."""

from __future__ import annotations

import json
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult

import msgspec

PAGE: Final = 1000
"""Requests that one page of a listing has, at most."""
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
    x_request_id: str | None = None
    traceparent: str | None = None


class JournalDetails(msgspec.Struct, frozen=True):
    """What is kept of some requests only."""

    headers: list[tuple[str, str]] = []


class WholeRecord(JournalRecord, frozen=True):
    """One request as ``GET /llmsim/requests/ID`` has it: also its body, the id in its text, and
    details."""

    request: Any = None
    marker: str | None = None
    details: JournalDetails | None = None


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

    def since(self, moment: float) -> list[JournalRecord]:
        """The requests that arrived since then (Unix, seconds)."""
        found: list[JournalRecord] = []
        cursor = ""
        while True:
            page = self._get(f"/llmsim/requests?limit={PAGE}&since={moment:.6f}{cursor}")
            found += msgspec.convert(page["requests"], list[JournalRecord])
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def record(self, name: str) -> WholeRecord | None:
        """One request by an id of llmsim's; None if it is not remembered."""
        found = self._get(f"/llmsim/requests/{name}", missing=True)
        return None if found is None else msgspec.convert(found, WholeRecord)

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
