"""What a live server says of itself, and waiting until it says something else."""

import time
from collections.abc import Callable
from http.client import HTTPConnection
from json import loads
from typing import Any, TypeVar

from tests.live.http1 import HOST

T = TypeVar("T")

LIMIT = 60.0
"""Seconds in which a server on a busy machine gets anything done."""


def read(port: int, path: str) -> tuple[int, Any]:
    """Status and JSON of a GET."""
    connection = HTTPConnection(HOST, port, timeout=LIMIT)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, loads(response.read())
    finally:
        connection.close()


def stats(port: int) -> Any:
    """``GET /llmsim/stats``."""
    status, told = read(port, "/llmsim/stats")
    assert status == 200, told
    return told


def until(look: Callable[[], T], good: Callable[[T], object], pause: float = 0.02) -> T:
    """What ``look`` sees once it is ``good``; fails with the last sight after LIMIT seconds."""
    deadline = time.monotonic() + LIMIT
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"after {LIMIT} s still {seen}"
        time.sleep(pause)
    return seen


def settled(port: int) -> Any:
    """The stats once nothing is being answered any more."""
    return until(lambda: stats(port), lambda told: told["requests"]["active"] == 0)
