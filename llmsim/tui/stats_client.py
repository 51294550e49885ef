"""Reading a server's statistics over HTTP, on one connection that is kept."""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult

from llmsim.tui import stats
from llmsim.tui.stats import ServerStats

PATH: Final = "/llmsim/stats"
TIMEOUT: Final = 2.0
MOST_BYTES: Final = 8 * 2**20
REFUSED: Final = (401, 403)


class ReadError(Exception):
    """The server's statistics could not be read; the message says why, in a few words."""


class StatsClient:
    """One server's statistics. Not for several threads at once.

    ``token`` goes out as ``Authorization: Bearer``; ``context`` is for TLS.
    """

    def __init__(
        self,
        url: SplitResult,
        token: str | None = None,
        timeout: float = TIMEOUT,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._context = context
        self._url = url
        self._path = url.path + PATH
        self._timeout = timeout
        self._headers = {"Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection: HTTPConnection | None = None

    def read(self) -> ServerStats:
        """Raises ReadError."""
        try:
            response, body = self._answer()
        except ConnectionRefusedError:
            raise self._failed("connection refused") from None
        except TimeoutError:
            raise self._failed(f"no answer within {self._timeout:g} s") from None
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", None) or error.reason or error
            raise self._failed(f"TLS: {why}") from None
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None
        except HTTPException as error:
            raise self._failed(f"not HTTP: {type(error).__name__}") from None
        if response.status in REFUSED:
            raise self._failed(f"refused with {response.status}: is --token right?")
        if response.status != 200:
            raise self._failed(f"{PATH} answers {response.status}: is this llmsim?")
        try:
            return stats.decoded(body)
        except ValueError as error:
            raise self._failed(f"not llmsim's statistics: {error}") from None

    def close(self) -> None:
        """End the connection; the next reading opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answer(self) -> tuple[HTTPResponse, bytes]:
        """Over the connection there is, and over a new one if that has been closed meanwhile."""
        kept = self._connection is not None
        try:
            return self._ask()
        except (ConnectionError, HTTPException):
            self.close()
            if not kept:
                raise
        return self._ask()

    def _ask(self) -> tuple[HTTPResponse, bytes]:
        connection = self._connection = self._connection or self._opened()
        connection.request("GET", self._path, headers=self._headers)
        response = connection.getresponse()
        return response, response.read(MOST_BYTES)

    def _opened(self) -> HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "https":
            return HTTPSConnection(
                host, self._url.port, timeout=self._timeout, context=self._context
            )
        return HTTPConnection(host, self._url.port, timeout=self._timeout)

    def _failed(self, why: str) -> ReadError:
        self.close()
        return ReadError(why)
