"""Locust users that load an LLM gateway which has llmsim behind it.

The `server-timing` header of every answer of llmsim says when the first token and the last were
planned to be sent. What a client sees on top of that is the overhead of whatever stands between
them, and is reported in a row of its own. README.md in this folder has commands to paste.
"""

import json
import logging
import re
import secrets
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from locust import FastHttpUser, constant, events, task
from locust.argument_parser import LocustArgumentParser
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS, ResponseContextManager
from locust.env import Environment
from locust.runners import WorkerRunner

PLAIN = "chat"
STREAM = "chat stream"
TTFT = f"{STREAM}: TTFT"
ITL = f"{STREAM}: ITL"
STREAM_TTFT_OVERHEAD = f"{STREAM}: overhead TTFT"
STREAM_TOTAL_OVERHEAD = f"{STREAM}: overhead total"
PLAIN_TOTAL_OVERHEAD = f"{PLAIN}: overhead total"

POST = "POST"
MEASURE = "measure"
"""Locust's column Type for a row that is a time and not a request."""


THRESHOLDS = {
    "ttft-p95-ms": (MEASURE, TTFT),
    "itl-p95-ms": (MEASURE, ITL),
    "stream-p95-ms": (POST, STREAM),
    "stream-overhead-p95-ms": (MEASURE, STREAM_TTFT_OVERHEAD),
    "plain-p95-ms": (POST, PLAIN),
    "plain-overhead-p95-ms": (MEASURE, PLAIN_TOTAL_OVERHEAD),
}
"""The row whose 95th percentile an option limits, by Locust's columns Type and Name."""


def add_options(parser: LocustArgumentParser) -> None:
    """Adds `--name` and its environment variable `LOAD_NAME` for everything a run can choose."""

    def option(name: str, default: object, meaning: str, **more: Any) -> None:
        variable = "LOAD_" + name.upper().replace("-", "_")
        parser.add_argument(f"--{name}", env_var=variable, default=default, help=meaning, **more)

    option("api-key", "sk-llmsim", "sent as a bearer token", is_secret=True)
    option("model", "gpt-4o-mini", "model to request")
    option("path", "/v1/chat/completions", "path of the chat completions endpoint")
    option("prompt-tokens", 50, "length of a prompt in tokens, roughly", type=int)
    option("max-tokens", 100, "max_tokens of each request", type=int)
    for name, (_, row) in THRESHOLDS.items():
        option(
            name, None, f"exit with 1 if the p95 of '{row}' is above this", type=float, metavar="MS"
        )


class AnswerError(Exception):
    """An answer with status 200 that a client of the chat API could not use."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When a stream's parts were read, in seconds of `time.perf_counter`."""

    tokens: tuple[float, ...]
    end: float


def prompt(tokens: int) -> str:
    """A text of about as many tokens, unlike any other: caches in between must not answer."""
    return secrets.token_hex(4) + " hello" * max(tokens - 5, 1)


def planned(server_timing: str, part: str) -> float | None:
    """Seconds that llmsim planned for `ttft` or `total`; None when the gateway dropped it."""
    entry = re.search(rf"\b{part};\s*dur=(\d+(\.\d+)?)", server_timing)
    return float(entry[1]) / 1000 if entry else None


def server_timing(headers: Mapping[str, Any]) -> str:
    """The values of llmsim's header, by whatever name a gateway passes it on
    (`llm_provider-server-timing`)."""
    found = (value for name, value in headers.items() if name.lower().endswith("server-timing"))
    return ",".join(value if isinstance(value, str) else ",".join(value) for value in found)


def chunks(response: ResponseContextManager) -> Iterator[dict[str, Any]]:
    """The JSON objects of an SSE body up to [DONE], each as soon as it has arrived."""
    while line := response.stream.readline(b"\n"):
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        yield json.loads(data)
    raise AnswerError("the stream ended without [DONE]")


def has_token(chunk: dict[str, Any]) -> bool:
    """Whether a chunk brings a part of the answer, and not only a role, an end or the usage."""
    return any(
        value
        for choice in chunk.get("choices", ())
        for key, value in choice.get("delta", {}).items()
        if key != "role"
    )


def arrivals(response: ResponseContextManager) -> Arrivals:
    """Reads a stream to its end."""
    tokens = []
    for chunk in chunks(response):
        if "error" in chunk:
            raise AnswerError(f"error in the stream: {chunk['error']}")
        if has_token(chunk):
            tokens.append(time.perf_counter())
    if not tokens:
        raise AnswerError("the stream had no token")
    return Arrivals(tuple(tokens), time.perf_counter())


class ChatUser(FastHttpUser):
    """Sends a request, reads the answer to its end, and sends the next: users are requests in
    flight."""

    abstract = True
    wait_time = constant(0)

    @property
    def options(self) -> Namespace:
        options: Namespace = self.environment.parsed_options
        return options

    def post(self, name: str, **more: Any) -> ResponseContextManager:
        """Posts a chat request and returns as soon as the headers of the answer are there."""
        message = {"role": "user", "content": prompt(self.options.prompt_tokens)}
        body = {
            "model": self.options.model,
            "messages": [message],
            "max_tokens": self.options.max_tokens,
            **more,
        }
        headers = {
            "Authorization": f"Bearer {self.options.api_key}",
            "Accept-Encoding": "identity",  # a compressed stream would arrive in lumps
        }
        return self.client.post(
            self.options.path,
            json=body,
            headers=headers,
            name=name,
            stream=True,
            catch_response=True,
        )

    def report(self, row: str, seconds: float) -> None:
        self.environment.events.request.fire(
            request_type=MEASURE,
            name=row,
            response_time=seconds * 1000,
            response_length=0,
            exception=None,
            context={},
        )

    def report_overhead(
        self, row: str, response: ResponseContextManager, part: str, seconds: float
    ) -> None:
        """Reports what was observed beyond what llmsim planned, if the plan came through."""
        plan = planned(server_timing(response.headers or {}), part)
        if plan is not None:
            self.report(row, seconds - plan)


class PlainUser(ChatUser):
    """Chat completions in one piece."""

    @task
    def chat(self) -> None:
        sent = time.perf_counter()
        with self.post(PLAIN) as response:
            try:
                response.raise_for_status()
                answer = json.loads(response.stream.read())
                took = time.perf_counter() - sent
                if not any(choice["message"]["content"] for choice in answer["choices"]):
                    raise AnswerError("the answer is empty")
            except (*FAILURE_EXCEPTIONS, AnswerError, ValueError, LookupError, TypeError) as error:
                response.failure(error)
                return
            response.request_meta["response_time"] = took * 1000
            self.report_overhead(PLAIN_TOTAL_OVERHEAD, response, "total", took)


class StreamingUser(ChatUser):
    """Streamed chat completions, with the times of their tokens."""

    @task
    def chat(self) -> None:
        sent = time.perf_counter()
        with self.post(STREAM, stream=True) as response:
            try:
                response.raise_for_status()
                seen = arrivals(response)
            except (*FAILURE_EXCEPTIONS, AnswerError, ValueError, LookupError, TypeError) as error:
                response.failure(error)
                return
            response.request_meta["response_time"] = (seen.end - sent) * 1000
            self.report(TTFT, seen.tokens[0] - sent)
            for earlier, later in zip(seen.tokens, seen.tokens[1:], strict=False):
                self.report(ITL, later - earlier)
            self.report_overhead(STREAM_TTFT_OVERHEAD, response, "ttft", seen.tokens[0] - sent)
            self.report_overhead(STREAM_TOTAL_OVERHEAD, response, "total", seen.end - sent)


def judge(environment: Environment, **_: object) -> None:
    """Sets exit code 1 when a threshold is exceeded, or the row it limits is not there."""
    if isinstance(environment.runner, WorkerRunner):
        return
    for name, (kind, row) in THRESHOLDS.items():
        limit = getattr(environment.parsed_options, name.replace("-", "_"))
        if limit is None:
            continue
        entry = environment.stats.entries.get((row, kind))
        if entry is None:
            logging.error("--%s: no '%s' was measured", name, row)
            environment.process_exit_code = 1
        elif (p95 := entry.get_response_time_percentile(0.95)) > limit:
            logging.error("--%s: p95 of '%s' is %g ms, above %g", name, row, p95, limit)
            environment.process_exit_code = 1


events.init_command_line_parser.add_listener(add_options)
events.quitting.add_listener(judge)
