"""What an answer says of itself: its usage, and how many tokens each of its frames brought.

Answers are read by their shape, whichever provider they are of: Chat Completions and completions,
Responses, Anthropic's messages, Gemini's content; whole, or as events.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import orjson

from llmsim.recordings.recording import RecordedUsage

Json = dict[str, Any]

DATA: Final = re.compile(rb"^data: ?(.*)$", re.MULTILINE)
EVENT_END: Final = re.compile(rb"\r?\n\r?\n")
MODEL: Final = re.compile(r"/models/([^/:?]+)")
BEGIN: Final = 16_384
END: Final = 1 << 20
"""Bytes of an answer's beginning and end in which its usage is looked for."""

FEW: Final = 4
"""Lines at each of both that are read for it."""

GEMINI_STREAM: Final = ":streamGenerateContent"


def asked(path: str, body: bytes) -> tuple[str, bool]:
    """The model that a request asks for, "" if it names none, and whether it asks for a stream."""
    content = _object(body)
    named = MODEL.search(path)
    model = content.get("model")
    if not isinstance(model, str):
        model = named[1] if named else ""
    return model, content.get("stream") is True or path.endswith(GEMINI_STREAM)


def usage(body: bytes) -> RecordedUsage | None:
    """The tokens that an answer says it took; None if it does not say. Where a stream says it
    more than once, the last word counts for each number."""
    found: dict[str, int] = {}
    for document in _documents(body):
        found |= _usage(document)
    return RecordedUsage(**found) if found else None


class UsageReader:
    """The usage of an answer that passes: no more of it is kept than its beginning and its end,
    where usage is."""

    def __init__(self) -> None:
        self._begin: list[bytes] = []
        self._end: deque[bytes] = deque()
        self._room, self._kept = BEGIN, 0

    def add(self, frame: bytes) -> None:
        """The next piece of the answer."""
        if self._room > 0:
            self._room -= len(frame)
            self._begin.append(frame)
            return
        self._end.append(frame)
        self._kept += len(frame)
        while self._kept > END and len(self._end) > 1:
            self._kept -= len(self._end.popleft())

    def usage(self) -> RecordedUsage | None:
        """The tokens that the answer says it took; None if it does not say."""
        content = b"".join((*self._begin, *self._end))
        if content[:1] in (b"{", b"["):
            return usage(content)
        lines = [line for line in content.split(b"\n") if b"sage" in line]
        return usage(b"\n".join((*lines[:FEW], *lines[FEW:][-FEW:])))

    def tokens(self, count: Callable[[str], int]) -> int:
        """The tokens of a stream that does not say how many it has, as far as it was kept."""
        return FrameTokens(count).of(b"".join((*self._begin, *self._end)) + b"\n\n")


def answer_id(body: bytes) -> str:
    """The id of an answer; "" if it has none."""
    for document in _documents(body):
        for one in (document, document.get("response"), document.get("message")):
            name = one.get("id", one.get("responseId")) if isinstance(one, dict) else None
            if isinstance(name, str):
                return name
    return ""


def complete(body: bytes) -> bool:
    """Whether a stream has said all it had to say: clients go away then, and need not wait for the
    response's own end."""
    if body.rstrip().endswith(b"data: [DONE]"):
        return True
    last: Json = {}
    for last in _events(body):  # noqa: B007  the last one counts
        pass
    return last.get("type") in LAST or any(
        candidate.get("finishReason") for candidate in dicts(last.get("candidates"))
    )


LAST: Final = frozenset(
    {"message_stop", "response.completed", "response.incomplete", "response.failed"}
)
"""Types of events after which there are none."""


class FrameTokens:
    """Counts the tokens of the frames of one stream, in their order. ``count`` counts those of a
    text."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._rest = b""

    def of(self, frame: bytes) -> int:
        """How many tokens a frame has brought. What is cut from an event counts with the frame
        that ends it."""
        text = self._rest + frame
        ends = [found.end() for found in EVENT_END.finditer(text)]
        whole, self._rest = (text[: ends[-1]], text[ends[-1] :]) if ends else (b"", text)
        return sum(max(self._count(piece), 1) for piece in _pieces(_events(whole)) if piece)


def _documents(body: bytes) -> Iterator[Json]:
    """The JSON objects of an answer: itself, or those of its events, or of an array."""
    return (document for _, document in placed_documents([body]))


def placed_documents(frames: Sequence[bytes]) -> Iterator[tuple[int, Json]]:
    """The JSON objects of an answer that came in these frames, each with the frame it ended in."""
    body = b"".join(frames)
    ends = list(accumulate(map(len, frames)))
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        for event in DATA.finditer(body):
            content = _object(event[1].rstrip(b"\r"))
            if content:
                yield min(bisect_left(ends, event.end()), len(ends) - 1), content
        return
    for one in whole if isinstance(whole, list) else [whole]:
        if isinstance(one, dict):
            yield len(ends) - 1, one


def _events(body: bytes) -> Iterator[Json]:
    for event in DATA.finditer(body):
        content = _object(event[1].rstrip(b"\r"))
        if content:
            yield content


def _object(content: bytes) -> Json:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _usage(document: Json) -> dict[str, int]:
    for holder in (document, document.get("response"), document.get("message")):
        if not isinstance(holder, dict):
            continue
        said = holder.get("usage", holder.get("usageMetadata"))
        if isinstance(said, dict):
            return _numbers(said)
    return {}


def _numbers(said: Json) -> dict[str, int]:
    """The numbers of a usage, under one name each."""
    inputs, outputs = _first(said, INPUT_DETAILS), _first(said, OUTPUT_DETAILS)
    prompt = _number(said, "prompt_tokens", "input_tokens", "promptTokenCount")
    completion = _number(said, "completion_tokens", "output_tokens", "candidatesTokenCount")
    cached = _number(said, "cache_read_input_tokens", "cachedContentTokenCount")
    reasoning = _number(outputs, "reasoning_tokens", "thinking_tokens")
    thoughts = _number(said, "thoughtsTokenCount")
    if prompt is not None and "cache_read_input_tokens" in said:  # Anthropic counts them apart
        prompt += (cached or 0) + (_number(said, "cache_creation_input_tokens") or 0)
    if thoughts is not None:  # as Gemini does with thoughts
        completion, reasoning = (completion or 0) + thoughts, thoughts
    if cached is None:
        cached = _number(inputs, "cached_tokens")
    found = {"prompt": prompt, "completion": completion, "cached": cached, "reasoning": reasoning}
    return {name: number for name, number in found.items() if number is not None}


INPUT_DETAILS: Final = ("prompt_tokens_details", "input_tokens_details")
OUTPUT_DETAILS: Final = ("completion_tokens_details", "output_tokens_details")


def _first(said: Json, names: Iterable[str]) -> Mapping[str, Any]:
    return next((said[name] for name in names if isinstance(said.get(name), dict)), {})


def _number(said: Mapping[str, Any], *names: str) -> int | None:
    return next((said[name] for name in names if isinstance(said.get(name), int)), None)


def _pieces(events: Iterable[Json]) -> Iterator[str]:
    """The texts that events bring."""
    for event in events:
        kind = event.get("type", "")
        delta = event.get("delta")
        if isinstance(delta, str) and kind.endswith(".delta"):
            yield delta
        elif isinstance(delta, dict):
            yield from _texts(delta, "text", "thinking", "partial_json")
        for choice in dicts(event.get("choices")):
            yield from _texts(choice, "text")
            yield from _chat(choice.get("delta"))
        for candidate in dicts(event.get("candidates")):
            content = candidate.get("content")
            for part in dicts(content.get("parts") if isinstance(content, dict) else None):
                yield from _texts(part, "text")
                if "functionCall" in part:
                    yield orjson.dumps(part["functionCall"]).decode()


def _chat(delta: Any) -> Iterator[str]:
    if isinstance(delta, dict):
        yield from _texts(delta, "content", "reasoning_content", "reasoning", "refusal")
        for call in dicts(delta.get("tool_calls")):
            function = call.get("function")
            if isinstance(function, dict):
                yield from _texts(function, "name", "arguments")


def _texts(holder: Json, *names: str) -> Iterator[str]:
    for name in names:
        if isinstance(holder.get(name), str):
            yield holder[name]


def dicts(values: Any) -> Iterator[Json]:
    """The objects of a list; none where it is no list."""
    if isinstance(values, list):
        yield from (one for one in values if isinstance(one, dict))
