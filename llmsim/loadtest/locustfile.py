"""What Locust runs for ``llmsim loadtest``: arrivals at the rate of a profile, in any of four APIs.

A Locust user is an arrival process of one request a second (Poisson; many of them add up to one).
It does not wait for answers: the load is open, and a target that is slow gets no less of it.
"""

from __future__ import annotations

import random
from typing import Any

from gevent.pool import Group
from locust import LoadTestShape, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from llmsim.loadtest.measures import MEASURE, judge, table
from llmsim.loadtest.profiles import PROFILES, requests_per_second
from llmsim.loadtest.users import TIMEOUT, AskingUser, asking_options, option

LIMITS = {
    "max-ttft-p95-ms": (MEASURE, "TTFT"),
    "max-total-p95-ms": (MEASURE, "total"),
    "max-overhead-ttft-p95-ms": (MEASURE, "overhead TTFT"),
    "max-overhead-total-p95-ms": (MEASURE, "overhead total"),
}
open_requests = Group()


def add_options(parser: LocustArgumentParser) -> None:
    """Options of this file; each has an environment variable ``LOAD_…``, too."""
    option(parser, "shape", "smoke", "one of " + ", ".join(PROFILES), choices=[*PROFILES])
    option(parser, "rate", None, "most requests a second", type=float)
    option(parser, "duration", None, "seconds", type=float)
    option(parser, "plain", "", "1 to ask for answers in one piece")
    asking_options(parser)
    for name, (_, row) in LIMITS.items():
        option(parser, name, None, f"exit with 1 if the p95 of {row!r} is above it", type=float)


class ArrivalUser(AskingUser):
    """One request a second, whatever comes back."""

    concurrency = 2000

    def wait_time(self) -> float:
        return random.expovariate(1.0)

    @task
    def arrive(self) -> None:
        open_requests.spawn(self.answer)

    def answer(self) -> None:
        """Send a request, and measure its answer."""
        stream = not self.options.plain
        times = self.ask(stream, self.options.dialect + (" stream" if stream else ""))
        if times is not None:
            self.row("total", times.end)
            self.measure(times)


class ProfileShape(LoadTestShape):
    """As many users as the profile has requests a second."""

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options: Any = self.runner.environment.parsed_options
        profile = PROFILES[options.shape]
        users = requests_per_second(
            profile,
            self.get_run_time(),  # type: ignore[no-untyped-call]  # of Locust
            options.rate or profile.rate,
            options.duration or profile.duration,
        )
        return None if users is None else (users, float(users))


def finish(**_: object) -> None:
    """Await the answers to what was sent."""
    open_requests.join(timeout=TIMEOUT)


def report(environment: Environment, **_: object) -> None:
    """Print what was measured, and judge it."""
    if not isinstance(environment.runner, WorkerRunner):
        print("\n".join(table(environment.stats)))
        judge(environment, LIMITS)


events.init_command_line_parser.add_listener(add_options)
events.test_stop.add_listener(finish)
events.quitting.add_listener(report)
