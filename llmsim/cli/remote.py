"""A running server: the address a user gives, and requests to its own endpoints."""

from __future__ import annotations

import json
import ssl
from http.client import HTTPException, RemoteDisconnected
from typing import IO, Any, Final
from urllib.parse import SplitResult, urlsplit

import click

from llmsim.cli import trust
from llmsim.testing.http import exchange

DEFAULT_PORT: Final = 8080
TIMEOUT: Final = 30.0
JSON: Final = "application/json"
YAML: Final = "application/yaml"


class Unreachable(click.ClickException):
    """The server did not answer, or not as llmsim does. Exit code 1."""


class Rejected(click.ClickException):
    """The server rejected a value: a line for each mistake on standard error, exit code 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=True)


def address(text: str) -> SplitResult:
    """The server a user means: ``localhost:8080``, ``http://host:8080/prefix``, an https URL.

    Raises ValueError for anything else.
    """
    url = urlsplit(text if "://" in text else f"http://{text}")
    if url.scheme not in ("http", "https"):
        raise ValueError(f"{url.scheme}: is neither http nor https")
    if not url.hostname or url.query or url.fragment or url.username or url.password:
        raise ValueError("expected http://HOST:PORT")
    port = url.port  # raises ValueError unless it is a number up to 65535
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    if port is None and "://" not in text:
        port = DEFAULT_PORT
    return url._replace(
        netloc=host if port is None else f"{host}:{port}", path=url.path.rstrip("/")
    )


class Remote:
    """One server. ``token`` goes out as ``Authorization: Bearer``; ``context`` is for TLS."""

    def __init__(
        self, url: SplitResult, token: str | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._url = url
        self._context = context
        self._headers = {"accept": JSON}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    @property
    def url(self) -> str:
        """Its address."""
        return self._url.geturl()

    def request(
        self, method: str, path: str, body: bytes | None = None, media_type: str = JSON
    ) -> Any:
        """Send a request under ``/llmsim/`` and return the answer, decoded from JSON.

        Raises Unreachable and Rejected.
        """
        path = f"{self._url.path}/llmsim/{path}"
        headers = self._headers if body is None else {**self._headers, "content-type": media_type}
        try:
            status, answer = exchange(
                self._url, method, path, body, headers, TIMEOUT, self._context
            )
        except TimeoutError:
            raise self._failed(f"no answer within {TIMEOUT:g} s") from None
        except ssl.SSLError as error:
            raise self._failed(trust.why(error)) from None
        except RemoteDisconnected:
            raise self._failed("closed the connection without an answer") from None
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None
        except HTTPException as error:
            hint = " (is it https?)" if self._url.scheme == "http" else ""
            raise self._failed(f"not HTTP: {type(error).__name__}{hint}") from None
        try:
            decoded = json.loads(answer)
        except ValueError:
            raise self._failed(f"{method} {path}: status {status}, and no JSON") from None
        if status != 200:
            raise self._refused(status, decoded)
        return decoded

    def _failed(self, why: str) -> Unreachable:
        return Unreachable(f"{self.url}: {why}")

    def _refused(self, status: int, decoded: Any) -> click.ClickException:
        error = decoded.get("error") if isinstance(decoded, dict) else None
        message = error.get("message") if isinstance(error, dict) else None
        if status == 400 and message:
            return Rejected(message)
        if status == 401:
            return self._failed("a token is required: --token or LLMSIM_TOKEN")
        return self._failed(f"{message or 'is this llmsim?'} ({status})")
