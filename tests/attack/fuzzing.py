"""Mutated bodies for every endpoint and for the control API, one after another on connections that
are kept."""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Final

from tests.attack.bodies import Body
from tests.attack.mutations import mutated
from tests.attack.paths import every_body
from tests.attack.target import SLOWEST, Target

CLIENTS: Final = 4
RESET: Final = 100
"""Requests after which answers are made instant again."""

_TOTAL: Final = re.compile(r"total;dur=([0-9.]+)")
TYPES: Final = ("application/json",) * 9 + ("application/yaml", "", "multipart/form-data", "x/y")
HEADERS: Final = (
    {},
    {},
    {},
    {"Origin": "http://["},
    {"Origin": "null"},
    {"Accept": "\xff"},
    {"anthropic-version": "x"},
    {"x-goog-api-key": ""},
    {"x-llmsim-target-tokens": "-1"},
    {"x-forwarded-host": "[", "x-forwarded-proto": ":"},
)


def attack(target: Target) -> None:
    """Send mutated bodies until the time is up."""
    bodies = every_body()
    threads = [
        threading.Thread(target=_send, args=(target, bodies, target.seed * CLIENTS + index))
        for index in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send(target: Target, bodies: Sequence[Body], seed: int) -> None:
    rng = random.Random(seed)
    connection = target.connection(60)
    for count in itertools.count():
        if not target.going_on():
            break
        body = rng.choice(bodies)
        content = mutated(body.value, rng)
        try:
            if count % RESET == 0:
                instant = Body("PUT", "/llmsim/latency", None)
                _ask(target, connection, instant, b'{"profile": "instant"}', rng)
            _ask(target, connection, body, content, rng)
        except (OSError, HTTPException) as error:
            target.report.fault(f"no answer: {type(error).__name__}", (body.path, content))
            connection.close()
    connection.close()


def _ask(
    target: Target,
    connection: HTTPConnection,
    body: Body,
    content: bytes,
    rng: random.Random,
) -> None:
    headers = {"Content-Type": rng.choice(TYPES), **rng.choice(HEADERS)}
    began = time.monotonic()
    connection.request(body.method, body.path, content, headers)
    response = connection.getresponse()
    answer = response.read()
    _judge(target, body, content, response, answer, time.monotonic() - began)


def _judge(
    target: Target,
    body: Body,
    content: bytes,
    response: HTTPResponse,
    answer: bytes,
    took: float,
) -> None:
    report = target.report
    report.sent[f"{body.method} {body.path}"] += 1
    report.statuses[response.status] += 1
    report.slowest = max(report.slowest, took - _planned(response))
    if response.status >= 500:
        report.fault(f"{response.status} from {body.path}", (content, answer[:200]))
    if took - _planned(response) > SLOWEST:
        report.fault(f"slow answers from {body.path}", (took, content))


def _planned(response: HTTPResponse) -> float:
    """Seconds that the answer was to take: the attack changes the latency, too."""
    found = _TOTAL.search(response.headers.get("server-timing") or "")
    return float(found[1]) / 1e3 if found else 0.0
