"""What an answer was: when its first and last token came, in how many reads, what went wrong."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from llmsim.overhead.dialects import Dialect
from llmsim.overhead.http1 import Read
from llmsim.overhead.load_client import RawAnswer

END_OF_EVENT: Final = re.compile(rb"\r?\n\r?\n")
MARK: Final = re.compile(r"[0-9a-f]{26}(?![0-9a-f])")
"""What llmsim's ids end in."""
DONE: Final = "[DONE]"


class StreamEvent(NamedTuple):
    """One server-sent event: its kind (the event's name, else the JSON's type), its data, decoded,
    and the bytes of it, with where in the body they end."""

    kind: str
    data: Any
    raw: bytes
    end: int


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """One answer as the client had it. Unix times in seconds, of arrival in the kernel.

    ``first`` and ``last`` are when its first and last text came, ``end`` when the last byte did;
    ``head`` is when its first byte came, ``before_last`` when the text before the last read's did
    (0 where there was but one read); ``late`` is by how much the first text was read after it had
    come, ``waited`` by how much the request was sent after it was due. ``text_reads`` are reads
    that brought text, ``text_events``
    events that did, ``first_events`` and ``last_events`` those of the first and the last of these
    reads. ``marks`` are all ids in it that could be llmsim's.
    """

    number: int
    due: float
    sent: float
    fresh: bool
    stream: bool
    status: int
    error: str | None
    headers: tuple[tuple[str, str], ...]
    head: float = 0.0
    first: float = 0.0
    before_last: float = 0.0
    last: float = 0.0
    end: float = 0.0
    late: float = 0.0
    waited: float = 0.0
    text_events: int = 0
    text_reads: int = 0
    first_events: int = 0
    last_events: int = 0
    kinds: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    size: int = 0


def events(body: bytes) -> Iterator[StreamEvent]:
    """The events of a stream, comments left out. Data that is no JSON is text."""
    start = 0
    for found in END_OF_EVENT.finditer(body):
        raw, start, end = body[start : found.start()], found.end(), found.end()
        event = _event(raw, end)
        if event is not None:
            yield event


def _event(raw: bytes, end: int) -> StreamEvent | None:
    name, data = "", []
    for line in raw.splitlines():
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.strip().decode("latin-1")
    if not data:
        return None
    joined = b"\n".join(data)
    try:
        decoded = orjson.loads(joined)
    except orjson.JSONDecodeError:
        decoded = joined.decode(errors="replace")
    return StreamEvent(name or _kind(decoded), decoded, raw, end)


def _kind(decoded: Any) -> str:
    if not isinstance(decoded, dict):
        return decoded.strip() if isinstance(decoded, str) else ""
    return "error" if decoded.get("error") else str(decoded.get("type", ""))


def seen(answer: RawAnswer, dialect: Dialect, stream: bool) -> SeenAnswer:
    """Look at an answer."""
    response = answer.response
    common: dict[str, Any] = {
        "number": answer.number,
        "due": answer.due,
        "sent": answer.sent,
        "fresh": answer.fresh,
        "stream": stream,
        "status": response.status,
        "headers": tuple(response.headers),
        "waited": answer.sent - answer.due if answer.sent else 0.0,
        "size": len(response.body),
        "head": response.head_arrived,
        "end": response.reads[-1].arrived if response.reads else answer.ended,
    }
    if answer.error is not None or response.status != 200:
        error = answer.error or f"status {response.status}"
        return SeenAnswer(**common, error=error, marks=_marks(response.headers, ""))
    if stream:
        return _seen_stream(answer, dialect, common)
    return _seen_whole(answer, dialect, common)


def _seen_stream(answer: RawAnswer, dialect: Dialect, common: dict[str, Any]) -> SeenAnswer:
    response = answer.response
    kinds, reads = [], []
    ended = False
    error: str | None = None
    head = ""
    for event in events(bytes(response.body)):
        kinds.append(event.kind)
        if len(kinds) == 1:
            head = event.raw[:2000].decode("latin-1")
        if not isinstance(event.data, dict):
            ended = ended or dialect.last(event.kind, {})
            continue
        if event.kind in ("error", "response.failed"):
            error = "error in the stream"
        ended = ended or dialect.last(event.kind, event.data)
        if dialect.text(event.data):
            reads.append(_read_of(response.reads, event.end))
    error = error or (None if ended else "stream without its end")
    if not reads:
        error = error or "no text"
        return SeenAnswer(
            **common, error=error, kinds=tuple(kinds), marks=_marks(response.headers, head)
        )
    first, earlier = response.reads[reads[0]], [one for one in reads if one < reads[-1]]
    return SeenAnswer(
        **common,
        error=error,
        first_events=reads.count(reads[0]),
        last_events=len(reads) - len(earlier),
        before_last=response.reads[earlier[-1]].arrived if earlier else 0.0,
        first=first.arrived,
        late=first.seen - first.arrived,
        last=response.reads[reads[-1]].arrived,
        text_events=len(reads),
        text_reads=len(set(reads)),
        kinds=tuple(kinds),
        marks=_marks(response.headers, head),
    )


def _seen_whole(answer: RawAnswer, dialect: Dialect, common: dict[str, Any]) -> SeenAnswer:
    response = answer.response
    text = ""
    error: str | None = None
    try:
        text = dialect.whole(orjson.loads(response.body))
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        error = "not an answer of this API"
    if not text:
        error = error or "no text"
    head = response.body[:2000].decode("latin-1")
    return SeenAnswer(
        **common,
        error=error,
        first=common["end"],
        late=response.reads[-1].seen - common["end"],
        last=common["end"],
        text_events=1,
        text_reads=1,
        first_events=1,
        last_events=1,
        marks=_marks(response.headers, head),
    )


def _read_of(reads: Sequence[Read], end: int) -> int:
    """The read that brought the byte before ``end``."""
    return min(bisect_left(reads, end, key=lambda one: one.end), len(reads) - 1)


def _marks(headers: Sequence[tuple[str, str]], text: str) -> tuple[str, ...]:
    """Whatever could be an id of llmsim's, in headers and the beginning of a body."""
    values = "\n".join(value for _, value in headers)
    return tuple(dict.fromkeys(one[0] for one in MARK.finditer(f"{values}\n{text}")))
