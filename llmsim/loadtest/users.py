"""Locust users that ask any of the four APIs and time their answers.

The ``server-timing`` header of every answer of llmsim says when the first token and the last were
planned to be sent. What a client sees on top of that is the overhead of whatever stands between
them, and is a row of its own.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import locust.stats
from locust import FastHttpUser
from locust.argument_parser import LocustArgumentParser
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS, ResponseContextManager

from llmsim.loadtest.measures import measured, rounded
from llmsim.overhead.answers import DONE, StreamEvent
from llmsim.overhead.answers import events as parsed
from llmsim.overhead.dialects import DIALECTS, Dialect, prompt

TIMEOUT: Final = 60.0
"""Seconds that a request may take."""

locust.stats.bucket_response_time = rounded  # type: ignore[assignment]  # as Locust documents


class UnusableAnswerError(Exception):
    """An answer with status 200 that no client could use."""


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """When parts of an answer were read, in seconds since its request was sent: each text of a
    stream, and the end. ``planned`` has what llmsim planned, as far as that came through."""

    texts: Sequence[float]
    end: float
    planned: Mapping[str, float]


def option(
    parser: LocustArgumentParser, name: str, default: object, meaning: str, **more: Any
) -> None:
    """Add ``--name`` and its environment variable ``LOAD_NAME``."""
    variable = "LOAD_" + name.upper().replace("-", "_")
    parser.add_argument(f"--{name}", env_var=variable, default=default, help=meaning, **more)


def asking_options(parser: LocustArgumentParser) -> None:
    """What each request is."""
    option(parser, "dialect", "openai_chat", "one of " + ", ".join(DIALECTS), choices=[*DIALECTS])
    option(parser, "model", "gpt-4o-mini", "model to ask for")
    option(parser, "path", None, "path of the requests, if not the API's own")
    option(parser, "api-key", "sk-llmsim", "sent as the API has it", is_secret=True)
    option(parser, "headers", "[]", "further headers, a JSON list of pairs")
    option(parser, "prompt-tokens", 50, "length of a prompt, roughly", type=int)
    option(parser, "max-tokens", 100, "most tokens of an answer", type=int)


def planned(headers: Mapping[str, Any]) -> dict[str, float]:
    """Seconds that llmsim planned for ``ttft`` and ``total``, from ``server-timing``, by whatever
    name the gateway passes it on (``llm_provider-server-timing``)."""
    found = {}
    for name, value in headers.items():
        if str(name).lower().endswith("server-timing"):
            for part in re.finditer(r"\b(\w+);\s*dur=(\d+(\.\d+)?)", str(value)):
                found[part[1]] = float(part[2]) / 1e3
    return found


def arriving(response: ResponseContextManager) -> Iterator[StreamEvent]:
    """The events of a stream, each as soon as it is here."""
    held = b""
    while line := response.stream.readline(b"\n"):
        held += line
        if not line.strip():
            yield from parsed(held)
            held = b""
    yield from parsed(held + b"\n\n")


class AskingUser(FastHttpUser):
    """Sends requests of one API."""

    abstract = True
    network_timeout = TIMEOUT

    @property
    def options(self) -> Any:
        return self.environment.parsed_options

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.options.dialect]

    def ask(self, stream: bool, name: str) -> TimedAnswer | None:
        """Send a request and read its answer to the end; ``name`` is its row. None for a failure,
        which is counted."""
        sent = time.perf_counter()
        with self._post(stream, name) as response:
            try:
                response.raise_for_status()
                texts = self._streamed(response) if stream else self._whole(response)
            except (
                *FAILURE_EXCEPTIONS, UnusableAnswerError, ValueError, LookupError, TypeError
            ) as error:  # fmt: skip
                response.failure(error)
                return None
            end = time.perf_counter() - sent
            response.request_meta["response_time"] = end * 1e3
            plan = planned(response.headers or {})
        return TimedAnswer([one - sent for one in texts], end, plan)

    def measure(self, times: TimedAnswer, before: str = "") -> None:
        """Add an answer's times to the rows whose names begin so."""
        seen = {"total": times.end}
        if times.texts:
            seen["ttft"] = times.texts[0]
            self.row(f"{before}TTFT", times.texts[0])
        for earlier, later in zip(times.texts, times.texts[1:], strict=False):
            self.row(f"{before}ITL", later - earlier)
        for part, title in (("ttft", "TTFT"), ("total", "total")):
            if part in seen and part in times.planned:
                self.row(f"{before}overhead {title}", seen[part] - times.planned[part])

    def row(self, name: str, seconds: float) -> None:
        measured(self.environment.stats, name, seconds)

    def _post(self, stream: bool, name: str) -> ResponseContextManager:
        options, dialect = self.options, self.dialect
        text = prompt(f"load-{secrets.token_hex(6)}", options.prompt_tokens)
        key, before = dialect.key
        return self.client.post(
            options.path or dialect.target(options.model, stream),
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

    def _streamed(self, response: ResponseContextManager) -> list[float]:
        """Read a stream; when each of its texts was here."""
        dialect, ended, texts = self.dialect, False, []
        for event in arriving(response):
            if not isinstance(event.data, dict) and event.kind != DONE:
                raise UnusableAnswerError(f"not JSON in the stream: {event.raw[:200]!r}")
            data = event.data if isinstance(event.data, dict) else {}
            if event.kind in ("error", "response.failed"):
                raise UnusableAnswerError(f"error in the stream: {event.raw[:200]!r}")
            ended = ended or dialect.last(event.kind, data)
            if dialect.text(data):
                texts.append(time.perf_counter())
        if not ended:
            raise UnusableAnswerError("the stream ended without its last event")
        if not texts:
            raise UnusableAnswerError("the stream had no text")
        return texts

    def _whole(self, response: ResponseContextManager) -> list[float]:
        if not self.dialect.whole(json.loads(response.stream.read())):
            raise UnusableAnswerError("the answer is empty")
        return []
