"""Two workers: which they are, an answer of each, and their sudden end."""

import os
import signal
from contextlib import suppress
from http.client import HTTPException

from tests.live.http1 import Answer, in_turn, post, slot_of
from tests.live.watch import stats, until


def pids(port: int) -> dict[int, int]:
    """Process id of each of two workers, by slot, once both are there."""

    def look() -> dict[int, int]:
        # The connection may be with a worker that is being killed.
        with suppress(OSError, HTTPException):
            return {one["slot"]: one["pid"] for one in stats(port)["workers"]}
        return {}

    return until(look, lambda now: len(now) == 2)


def kill(port: int, *victims: int) -> None:
    """SIGKILL these workers and wait until others have taken their places."""
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    until(lambda: pids(port), lambda now: not set(victims) & set(now.values()))


def by_both_workers(port: int, body: bytes) -> list[Answer]:
    """Answers to the same chat request, one of each worker among them."""
    slots = pids(port).keys()
    answers: list[Answer] = []
    until(
        lambda: answers.extend(in_turn(port, post(body))),
        lambda _: {slot_of(one.headers["x-request-id"]) for one in answers} == slots,
        pause=0,
    )
    return answers
