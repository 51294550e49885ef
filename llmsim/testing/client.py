"""The control API from Python: ``llmsim.Client``."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from llmsim.testing.http import exchange
from llmsim.testing.received_request import ReceivedRequest

TIMEOUT: Final = 30.0
LOOK: Final = 0.01
MOST: Final = 1000
"""Requests that are asked for at once."""

SCOPE_HEADER: Final = "x-llmsim-scope"


class ControlError(Exception):
    """The server did not do what it was asked to. ``status`` is that of its answer, 0 if there was
    none; ``faults`` are the mistakes in a configuration: key, line and message of each."""

    def __init__(self, status: int, message: str, faults: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.faults = tuple(faults)


class ControlClient:
    """Steers a running server, and asks what it was sent.

    ``url`` is the server's, ``token`` what its ``control.token`` wants, ``context`` for TLS. With a
    ``scope`` it sees and changes that scope only. A change is in effect in all workers when the
    method returns. Sections and mocks are in the configuration's own words.

    Every method raises ControlError.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        scope: str | None = None,
        context: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.url = url.rstrip("/")
        self.scope = scope
        self._split = urlsplit(self.url)
        self._headers = {"accept": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        if scope is not None:
            self._headers[SCOPE_HEADER] = scope
        self._context = context
        self._timeout = timeout

    # What is configured

    def config(self) -> dict[str, Any]:
        """The configuration in effect, without secrets."""
        return _mapping(self.ask("GET", "config"))

    def section(self, name: str) -> Any:
        """One section of it; None if it is empty."""
        return self.ask("GET", f"config/{_quoted(name)}")

    def patch(self, sections: Mapping[str, Any]) -> dict[str, Any]:
        """Merge values into sections (RFC 7396: None removes a key); the configuration then."""
        return _mapping(self.ask("PATCH", "config", sections))

    def replace(self, section: str, value: Any) -> Any:
        """Replace one section; None is its default."""
        return self.ask("PUT", f"config/{_quoted(section)}", value)

    def reset(self, *parts: str) -> None:
        """Count failures, mocks, scripts and limits from nothing again, or reset only these parts:
        ``journal``, ``counters``, ``stats``, ``limits``, ``mocks``."""
        self.ask("POST", f"reset?what={','.join(parts)}" if parts else "reset")

    def scopes(self) -> list[str]:
        """The names of the scopes that the server remembers."""
        return [one["name"] for one in _mapping(self.ask("GET", "scopes"))["scopes"]]

    def forget(self) -> None:
        """Forget all that was set and sent in the client's scope: it begins anew. Raises ValueError
        for a client of the whole server."""
        if self.scope is None:
            raise ValueError("only a scope can be forgotten, not the whole server")
        try:
            self.ask("DELETE", f"scopes/{_quoted(self.scope)}")
        except ControlError as error:
            if error.status != 404:  # there is none yet
                raise

    def reload(self) -> list[str]:
        """Read the configuration file again; the sections that change only at the next start."""
        left = _mapping(self.ask("POST", "reload"))["unchanged_until_restart"]
        return [str(name) for name in left]

    # Mocks

    def mocks(self) -> list[dict[str, Any]]:
        """The mocks in effect, each with how often it was used (``hits``)."""
        return list(_mapping(self.ask("GET", "mocks"))["mocks"])

    def add_mock(self, mock: Mapping[str, Any]) -> None:
        """Add a mock before all others."""
        self.ask("POST", "mocks", mock)

    def remove_mock(self, name: str) -> None:
        """Remove the mocks of that name."""
        self.ask("DELETE", f"mocks/{_quoted(name)}")

    def clear_mocks(self) -> None:
        """Remove all mocks."""
        self.ask("DELETE", "mocks")

    # What happened

    def requests(self, limit: int | None = None, **filters: str) -> list[ReceivedRequest]:
        """The latest requests, or all that are remembered, oldest first, with bodies and answers.
        ``filters`` are those of ``GET /llmsim/requests``, such as ``model="gpt-*"``."""
        found: list[ReceivedRequest] = []
        query = {**filters, "contents": "true"}
        while limit is None or len(found) < limit:
            query["limit"] = str(MOST if limit is None else min(MOST, limit - len(found)))
            page = _mapping(self.ask("GET", f"requests?{urlencode(query)}"))
            found += map(ReceivedRequest, page["requests"])
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        return found[::-1]

    def request(self, id: str) -> ReceivedRequest:  # noqa: A002  its name everywhere
        """One request, by any id that its answer has."""
        return ReceivedRequest(_mapping(self.ask("GET", f"requests/{_quoted(id)}")))

    def clear_requests(self) -> None:
        """Forget all requests."""
        self.ask("DELETE", "requests")

    def stats(self) -> dict[str, Any]:
        """Counts and times since the server started."""
        return _mapping(self.ask("GET", "stats"))

    def limits(self) -> list[dict[str, Any]]:
        """Each rate limit that was used, with what remains of it."""
        return list(_mapping(self.ask("GET", "limits"))["limits"])

    def wait_until_ready(self, timeout: float = TIMEOUT) -> None:
        """Return once everything is built that first requests need."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                status, _ = self._exchange("GET", "/ready", None)
            except (OSError, HTTPException):
                status = 0
            if status == 200:
                return
            if time.monotonic() > deadline:
                raise ControlError(status, f"{self.url}: not ready within {timeout:g} s")
            time.sleep(LOOK)

    def ask(self, method: str, path: str, value: Any = None) -> Any:
        """Send a request to ``/llmsim/PATH`` and give its answer, both in JSON."""
        body = None if value is None and method in ("GET", "DELETE", "POST") else _encoded(value)
        try:
            status, answer = self._exchange(method, f"/llmsim/{path}", body)
        except (OSError, HTTPException) as error:
            raise ControlError(0, f"{self.url}: {error or type(error).__name__}") from None
        if status == 204:
            return None
        try:
            decoded = json.loads(answer)
        except ValueError:
            raise ControlError(status, f"{method} {path}: status {status}, and no JSON") from None
        if status >= 400:
            found = decoded.get("error") if isinstance(decoded, dict) else None
            wrong = found if isinstance(found, dict) else {}
            message = wrong.get("message") or f"{method} {path}: status {status}"
            raise ControlError(status, str(message), wrong.get("faults") or ())
        return decoded

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = dict(self._headers)
        if body is not None:
            headers["content-type"] = "application/json"
        target = f"{self._split.path}{path}"
        return exchange(self._split, method, target, body, headers, self._timeout, self._context)


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ControlError(200, f"expected a mapping, not {value!r}: is this llmsim?")
    return value
