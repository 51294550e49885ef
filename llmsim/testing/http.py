"""One HTTP exchange with a server, by the standard library alone."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from ssl import SSLContext
from urllib.parse import SplitResult


def exchange(
    url: SplitResult,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
    timeout: float,
    context: SSLContext | None = None,
) -> tuple[int, bytes]:
    """Status and body of the answer. Raises OSError and HTTPException."""
    connection = (
        HTTPSConnection(url.netloc, timeout=timeout, context=context)
        if url.scheme == "https"
        else HTTPConnection(url.netloc, timeout=timeout)
    )
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
