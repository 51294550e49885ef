"""Locust users who wait for their answers: as many requests are in flight as there are users.

llmsim stands behind the gateway in place of the model. README.md in this folder has commands to
paste; for load with a shape, at a rate, there is ``llmsim loadtest``.
"""

from locust import constant, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from llmsim.loadtest.measures import MEASURE, REQUEST, judge, table
from llmsim.loadtest.users import AskingUser, asking_options, option

PLAIN = "chat"
STREAM = "chat stream"

LIMITS = {
    "ttft-p95-ms": (MEASURE, f"{STREAM}: TTFT"),
    "itl-p95-ms": (MEASURE, f"{STREAM}: ITL"),
    "stream-p95-ms": (REQUEST, STREAM),
    "stream-overhead-p95-ms": (MEASURE, f"{STREAM}: overhead TTFT"),
    "plain-p95-ms": (REQUEST, PLAIN),
    "plain-overhead-p95-ms": (MEASURE, f"{PLAIN}: overhead total"),
}
"""The row whose 95th percentile an option limits, by Locust's columns Type and Name."""


def add_options(parser: LocustArgumentParser) -> None:
    """Options of this file; each has an environment variable ``LOAD_…``, too."""
    asking_options(parser)
    for name, (_, row) in LIMITS.items():
        about = f"exit with 1 if the p95 of '{row}' is above this"
        option(parser, name, None, about, type=float, metavar="MS")


class PlainUser(AskingUser):
    """Answers in one piece."""

    wait_time = constant(0)

    @task
    def chat(self) -> None:
        times = self.ask(stream=False, name=PLAIN)
        if times is not None:
            self.measure(times, f"{PLAIN}: ")


class StreamingUser(AskingUser):
    """Streams, with the times of their tokens."""

    wait_time = constant(0)

    @task
    def chat(self) -> None:
        times = self.ask(stream=True, name=STREAM)
        if times is not None:
            self.measure(times, f"{STREAM}: ")


def report(environment: Environment, **_: object) -> None:
    """Print what was measured, and judge it."""
    if not isinstance(environment.runner, WorkerRunner):
        print("\n".join(table(environment.stats)))
        judge(environment, LIMITS)


events.init_command_line_parser.add_listener(add_options)
events.quitting.add_listener(report)
