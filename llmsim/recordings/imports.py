"""Recordings made of what other tools have kept: HTTP archives, and the rows of traces.

An archive has the bytes and no times of frames, a row has times and rarely the words: what was said
is then text of the right length, and the recording's correlation says so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import structs

from llmsim.providers import registry
from llmsim.recordings.answers import asked, usage
from llmsim.recordings.generated import pieces, prompt
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    RecordedUsage,
    Recording,
    ResponseEnd,
)
from llmsim.recordings.traces.row import TraceError, TraceRow

PATH: Final = "/v1/chat/completions"
JSON: Final = [("content-type", "application/json")]
EVENTS: Final = [("content-type", "text/event-stream")]


def from_har(document: Mapping[str, Any], where: str) -> Iterator[Recording]:
    """The recordings of an HTTP archive. Raises TraceError."""
    try:
        entries = document["log"]["entries"]
    except (KeyError, TypeError):
        raise TraceError(f"{where}: no log.entries: not an HTTP archive") from None
    for place, entry in enumerate(entries):
        try:
            yield _of_entry(entry)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise TraceError(f"{where}: log.entries[{place}]: {reason}") from None


def from_rows(rows: Iterable[TraceRow]) -> Iterator[Recording]:
    """Streams of Chat Completions, one for each row."""
    for number, row in enumerate(rows):
        yield _of_row(row, number)


def _of_entry(entry: Mapping[str, Any]) -> Recording:
    sent, received = entry["request"], entry["response"]
    url = urlsplit(sent["url"])
    headers = [(one["name"].lower(), one["value"]) for one in sent["headers"]]
    body = _content(sent.get("postData", {}))
    content = _content(received.get("content", {}))
    wait, total = (float(entry["timings"][name]) for name in ("wait", "receive"))
    model, stream = asked(url.path, body)
    arrived = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    return Recording(
        id=_id("har", json.dumps(entry, sort_keys=True)),
        arrived=arrived,
        provider=registry.of_request(url.path, url.query, dict(headers).get).name,
        endpoint=url.path,
        model=model,
        stream=stream,
        request=RecordedRequest(
            method=sent["method"],
            path=url.path,
            query=url.query,
            headers=headers,
            body=Payload.of(body),
        ),
        response=RecordedResponse(
            status=received["status"],
            headers=[(one["name"].lower(), one["value"]) for one in received["headers"]],
            at=wait / 1e3,
            frames=_frames(entry, content, (wait + total) / 1e3),
            ended=(wait + total) / 1e3,
        ),
        usage=usage(content),
    )


def _content(said: Mapping[str, Any]) -> bytes:
    text = said.get("text", "")
    return base64.b64decode(text) if said.get("encoding") == "base64" else text.encode()


def _frames(entry: Mapping[str, Any], content: bytes, ended: float) -> list[RecordedFrame]:
    """As the archive's own fields say, where llmsim has written it; else one, at the end."""
    kept = entry.get("_frames")
    if not kept:
        return [RecordedFrame(at=ended, body=Payload.of(content))]
    made, begin = [], 0
    for one in kept:
        end = begin + int(one["size"])
        body = Payload.of(content[begin:end])
        made.append(RecordedFrame(at=one["at"] / 1e3, body=body, tokens=one.get("tokens", 0)))
        begin = end
    return made


def _of_row(row: TraceRow, number: int) -> Recording:
    name = _id("row", f"{number} {row}")
    model = row.model or "unknown"
    messages = row.messages or ({"role": "user", "content": prompt(row, number)},)
    body = json.dumps({"model": model, "stream": True, "messages": messages}).encode()
    made = {} if row.messages and row.answer else {"generated": "text"}
    response = _failure(row) if row.failed else _stream(row, number, f"chatcmpl-{name[4:]}", model)
    return Recording(
        id=name,
        arrived=row.arrived,
        provider="openai",
        endpoint=PATH,
        model=model,
        stream=True,
        request=RecordedRequest(path=PATH, headers=JSON, body=Payload.of(body)),
        response=response,
        usage=RecordedUsage(
            prompt=row.prompt_tokens, completion=row.output_tokens, cached=row.cached_tokens
        ),
        in_flight=row.in_flight,
        correlation=made | ({"session": row.session} if row.session else {}),
    )


def _failure(row: TraceRow) -> RecordedResponse:
    body = b'{"error":{"message":"The request failed.","type":"server_error"}}'
    ended = row.total or row.ttft or 0.0
    frames = [RecordedFrame(at=ended, body=Payload.of(body))]
    return RecordedResponse(status=500, headers=JSON, at=ended, frames=frames, ended=ended)


def _stream(row: TraceRow, number: int, name: str, model: str) -> RecordedResponse:
    """The chunks of a stream at the row's times; what it does not know is at the end."""
    total = row.total or 0.0
    at = total if row.ttft is None else row.ttft
    sizes = row.frame_tokens
    open_then = [row.in_flight, *(row.gap_in_flight or (row.in_flight,) * len(row.gaps))]
    frames = []
    for place, text in enumerate(pieces(row, number)):
        at += row.gaps[place - 1] if place else 0.0
        delta = {"role": "assistant", "content": text} if not place else {"content": text}
        frames.append(_chunk(at, name, model, delta, None, sizes[place], open_then[place]))
    ended = max(at, total)
    last = _chunk(ended, name, model, {}, row.finish_reason or "stop", 0, row.in_flight)
    done = Payload.of(last.body.content + b"data: [DONE]\n\n")
    first = frames[0].at if frames else ended
    return RecordedResponse(
        status=200,
        headers=EVENTS,
        at=first,
        frames=[*frames, structs.replace(last, body=done)],
        end=ResponseEnd.WHOLE,
        ended=ended,
    )


def _chunk(
    at: float,
    name: str,
    model: str,
    delta: Mapping[str, str],
    reason: str | None,
    tokens: int,
    in_flight: int,
) -> RecordedFrame:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    data = {"id": name, "object": "chat.completion.chunk", "model": model, "choices": [choice]}
    body = Payload.of(b"data: " + json.dumps(data).encode() + b"\n\n")
    return RecordedFrame(at=round(at, 6), body=body, tokens=tokens, in_flight=in_flight)


def _id(kind: str, text: str) -> str:
    return f"rec_{sha256(f'{kind} {text}'.encode()).hexdigest()[:32]}"
