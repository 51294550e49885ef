"""What Locust runs for ``llmsim loadtest``: arrivals at the rate of a profile, in any of four APIs.

A Locust user is an arrival process of one request a second (Poisson; many of them add up to one).
It does not wait for answers: the load is open, and a target that is slow gets no less of it.
"""

from __future__ import annotations

import json
import logging
import random
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from gevent.pool import Group
from locust import FastHttpUser, LoadTestShape, events, task
from locust.argument_parser import LocustArgumentParser
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS, ResponseContextManager
from locust.env import Environment
from locust.runners import WorkerRunner

from llmsim.loadtest.measures import Measures
from llmsim.loadtest.profiles import PROFILES, requests_per_second
from llmsim.overhead.answers import StreamEvent
from llmsim.overhead.answers import events as parsed
from llmsim.overhead.dialects import DIALECTS, prompt

REPORT = "llmsim"
"""Where a worker's report has our measures."""
LIMITS = {
    "max-ttft-p95-ms": "TTFT",
    "max-total-p95-ms": "total",
    "max-overhead-ttft-p95-ms": "overhead TTFT",
    "max-overhead-total-p95-ms": "overhead total",
}
TIMEOUT = 60.0
"""Seconds that a request may take, and the last ones after the end."""
measures = Measures()
open_requests = Group()


class UnusableAnswerError(Exception):
    """An answer with status 200 that no client could use."""


def add_options(parser: LocustArgumentParser) -> None:
    """Options of this file; each has an environment variable ``LOAD_…``, too."""

    def option(name: str, default: object, meaning: str, **more: Any) -> None:
        variable = "LOAD_" + name.upper().replace("-", "_")
        parser.add_argument(f"--{name}", env_var=variable, default=default, help=meaning, **more)

    option("shape", "smoke", "one of " + ", ".join(PROFILES))
    option("rate", None, "most requests a second", type=float)
    option("duration", None, "seconds", type=float)
    option("dialect", "openai_chat", "one of " + ", ".join(DIALECTS))
    option("plain", "", "1 to ask for answers in one piece")
    option("model", "gpt-4o-mini", "model to ask for")
    option("api-key", "sk-llmsim", "sent as the API has it", is_secret=True)
    option("headers", "[]", "further headers, a JSON list of pairs")
    option("prompt-tokens", 50, "length of a prompt, roughly", type=int)
    option("max-tokens", 100, "most tokens of an answer", type=int)
    for name, row in LIMITS.items():
        option(name, None, f"exit with 1 if the p95 of {row!r} is above it", type=float)


def planned(headers: Mapping[str, Any], part: str) -> float | None:
    """Seconds that llmsim planned for ``ttft`` or ``total``, from ``server-timing``, by whatever
    name the gateway passes it on (``llm_provider-server-timing``)."""
    for name, value in headers.items():
        if str(name).lower().endswith("server-timing"):
            found = re.search(rf"\b{part};\s*dur=(\d+(\.\d+)?)", str(value))
            if found:
                return float(found[1]) / 1e3
    return None


def arriving(response: ResponseContextManager) -> Iterator[StreamEvent]:
    """The events of a stream, each as soon as it is here."""
    held = b""
    while line := response.stream.readline(b"\n"):
        held += line
        if not line.strip():
            yield from parsed(held)
            held = b""
    yield from parsed(held + b"\n\n")


class ArrivalUser(FastHttpUser):
    """One request a second, whatever comes back."""

    concurrency = 2000
    network_timeout = TIMEOUT

    def wait_time(self) -> float:
        return random.expovariate(1.0)

    @task
    def arrive(self) -> None:
        open_requests.spawn(self.ask)

    def ask(self) -> None:
        """Send a request, and read its answer to the end."""
        options: Any = self.environment.parsed_options
        stream = not options.plain
        name = options.dialect + (" stream" if stream else "")
        sent = time.perf_counter()
        with self._post(options, stream, name) as response:
            try:
                response.raise_for_status()
                first = self._streamed(response) if stream else self._whole(response)
            except (
                *FAILURE_EXCEPTIONS, UnusableAnswerError, ValueError, LookupError, TypeError
            ) as error:  # fmt: skip
                response.failure(error)
                return
            now = time.perf_counter()
            response.request_meta["response_time"] = (now - sent) * 1e3
        self._measure("total", now - sent, response, "total")
        if stream:
            self._measure("TTFT", first - sent, response, "ttft")

    def _post(self, options: Any, stream: bool, name: str) -> ResponseContextManager:
        dialect = DIALECTS[options.dialect]
        text = prompt(f"load-{secrets.token_hex(6)}", options.prompt_tokens)
        key, before = dialect.key
        return self.client.post(
            dialect.target(options.model, stream),
            json=dialect.body(options.model, text, options.max_tokens, stream),
            headers={
                key: before + options.api_key,
                "accept-encoding": "identity",  # a compressed stream would arrive in lumps
                **dict(dialect.headers),
                **dict(json.loads(options.headers)),
            },
            name=name,
            stream=True,
            catch_response=True,
        )

    def _measure(
        self, row: str, seconds: float, response: ResponseContextManager, part: str
    ) -> None:
        measures.add(row, seconds * 1e3)
        plan = planned(response.headers or {}, part)
        if plan is not None:
            measures.add(f"overhead {row}", (seconds - plan) * 1e3)

    def _streamed(self, response: ResponseContextManager) -> float:
        """Read a stream; when its first text was here."""
        options: Any = self.environment.parsed_options
        dialect = DIALECTS[options.dialect]
        first, last, ended = 0.0, 0.0, False
        for event in arriving(response):
            data = event.data if isinstance(event.data, dict) else {}
            if event.kind in ("error", "response.failed"):
                raise UnusableAnswerError(f"error in the stream: {event.raw[:200]!r}")
            ended = ended or dialect.last(event.kind, data)
            if dialect.text(data):
                now = time.perf_counter()
                if last:
                    measures.add("ITL", (now - last) * 1e3)
                first, last = first or now, now
        if not first or not ended:
            raise UnusableAnswerError("no text" if ended else "the stream did not end well")
        return first

    def _whole(self, response: ResponseContextManager) -> float:
        options: Any = self.environment.parsed_options
        if not DIALECTS[options.dialect].whole(json.loads(response.stream.read())):
            raise UnusableAnswerError("no text")
        return time.perf_counter()


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


def report(client_id: str, data: dict[str, Any]) -> None:
    """A worker reports what it has measured since its last report."""
    data[REPORT] = measures.taken()


def reported(client_id: str, data: dict[str, Any]) -> None:
    """The master has a worker's report."""
    measures.merge(data.get(REPORT, {}))


def judge(environment: Environment, **_: object) -> None:
    """Print what was measured, and set exit code 1 where it is above a limit."""
    if isinstance(environment.runner, WorkerRunner):
        return
    print("\n".join(measures.lines()))
    for name, row in LIMITS.items():
        limit = getattr(environment.parsed_options, name.replace("-", "_"))
        if limit is None:
            continue
        found = measures.percentile(row, 0.95)
        if found is None or found > limit:
            seen = "not measured" if found is None else f"{found:g} ms"
            logging.error("--%s %g: %s", name, limit, seen)
            environment.process_exit_code = 1


events.init_command_line_parser.add_listener(add_options)
events.test_stop.add_listener(finish)
events.report_to_master.add_listener(report)
events.worker_report.add_listener(reported)
events.quitting.add_listener(judge)
