"""What is sent, and when: recorded requests, or the arrivals and lengths of a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter
from typing import Final

import orjson
from msgspec import Struct

from llmsim.core import Headers
from llmsim.recordings.generated import prompt
from llmsim.recordings.recording import Recording, Transport
from llmsim.recordings.rows import row
from llmsim.recordings.traces.row import TraceRow

CHAT: Final = "/v1/chat/completions"
LENGTH: Final = "x-llmsim-target-tokens"
"""The header by which llmsim answers with as many tokens as a trace says; others ignore it."""


class Known(Struct, frozen=True, gc=False):
    """What is known of an answer: times in seconds after the request, tokens. What is not known is
    None, or 0."""

    status: int = 0
    ttft: float | None = None
    total: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


class TimedRequest(Struct, frozen=True, gc=False):
    """A request, sent ``due`` seconds after the first. ``before`` is the answer it once had."""

    name: str
    due: float
    provider: str
    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    before: Known


def of_recordings(recordings: Iterable[Recording], most: int | None = None) -> list[TimedRequest]:
    """The requests of recordings, in the order in which they came; the first ``most`` of them.
    Messages of WebSockets are left out."""
    asked = [_of_recording(one) for one in recordings if one.request.transport is Transport.HTTP]
    asked.sort(key=attrgetter("due"))
    begin = asked[0].due if asked else 0.0
    return [_later(one, -begin) for one in asked[:most]]


def of_rows(
    rows: Iterable[TraceRow], model: str, most: int | None = None
) -> Iterator[TimedRequest]:
    """A streamed chat for each row of a trace, in the order in which they came; the first ``most``
    of them. Prompts are made when they are asked for: where the trace has none, they are of its
    lengths, and begin alike where its blocks do. ``model`` is asked where the trace names none."""
    ordered = sorted(rows, key=attrgetter("arrived"))
    begin = ordered[0].arrived if ordered else 0.0
    for number, one in enumerate(islice(ordered, most)):
        yield _of_row(one, number, one.arrived - begin, model)


def _of_recording(one: Recording) -> TimedRequest:
    request, known = one.request, row(one)
    before = Known(
        one.response.status,
        known.ttft,
        known.total,
        known.prompt_tokens,
        known.output_tokens,
    )
    return TimedRequest(
        one.id,
        one.arrived,
        one.provider,
        request.method,
        request.path,
        request.query,
        list(request.headers),
        request.body.content,
        before,
    )


def _of_row(one: TraceRow, number: int, due: float, model: str) -> TimedRequest:
    messages = one.messages or ({"role": "user", "content": prompt(one, number)},)
    body = {
        "model": one.model or model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = [("content-type", "application/json")]
    if one.output_tokens:
        body["max_tokens"] = one.output_tokens
        headers.append((LENGTH, str(one.output_tokens)))
    before = Known(
        500 if one.failed else 200, one.ttft, one.total, one.prompt_tokens, one.output_tokens
    )
    content = orjson.dumps(body)
    return TimedRequest(f"row {number}", due, "openai", "POST", CHAT, "", headers, content, before)


def _later(one: TimedRequest, by: float) -> TimedRequest:
    return TimedRequest(
        one.name,
        one.due + by,
        one.provider,
        one.method,
        one.path,
        one.query,
        one.headers,
        one.body,
        one.before,
    )
