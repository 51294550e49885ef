"""What looking for a mock costs a request, by the number of mocks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import orjson

from bench.report import Cell, Column
from llmsim.core.mocks.match import MockMatch
from llmsim.core.mocks.mock import Mock
from llmsim.core.mocks.response import MockResponse
from llmsim.engine.mocks.index import MockIndex
from llmsim.providers.openai.chat.codec import OpenAIChat

LOOKS = 2000
TURNS = 7
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": ""}]}
TEXT = "The gateway sends each request on to a model; which weather is it today in city {}?"


def rule(number: int) -> Mock:
    """One that looks for a text and another in turn that has an expression."""
    text = f"topic number {number} of all"
    if number % 10:
        return Mock(match=MockMatch(content_contains=text), response=MockResponse("mocked"))
    regex = rf"topic\s+number {number} of \w+"
    return Mock(match=MockMatch(content_regex=regex), response=MockResponse("mocked"))


@dataclass(frozen=True, slots=True)
class Mocks:
    """In this process and without a server: the request is decoded already."""

    control: bool = False

    columns: Sequence[Column] = (
        Column("rules", "rules"),
        Column("none", "µs, none matches", 1),
        Column("last", "µs, the last matches", 1),
    )
    notes: Sequence[str] = (
        "Medians of seven turns of 2,000 requests, each with a new text of 80 characters. Nine "
        "rules of ten look for a text, the tenth has a regular expression. Counting a match over "
        "all workers and saying it come on top.",
    )

    def run(self) -> Sequence[Mapping[str, Cell]]:
        return [self._row(count) for count in (0, 10, 100, 1000)]

    def _row(self, count: int) -> Mapping[str, Cell]:
        index = MockIndex([rule(number) for number in range(1, count + 1)], ())
        last = f" topic number {count} of all"
        return {
            "rules": count,
            "none": _microseconds(index, ""),
            "last": _microseconds(index, last) if count else None,
        }


def _microseconds(index: MockIndex, more: str) -> float:
    """Microseconds a request."""
    dialect = OpenAIChat()
    body = orjson.dumps(BODY)
    turns = []
    for turn in range(TURNS):
        requests = [
            dialect.decode(
                body.replace(b'""', orjson.dumps(TEXT.format(turn * LOOKS + one) + more))
            )
            for one in range(LOOKS)
        ]
        start = time.perf_counter()
        for request in requests:
            view = index.view(request, "/v1/chat/completions", "openai_chat", body, _none)
            found = next(index.matching(view), None)
            assert (found is not None) is bool(more)
        turns.append((time.perf_counter() - start) / LOOKS * 1e6)
    return median(turns)


def _none(name: str) -> str | None:
    return None
