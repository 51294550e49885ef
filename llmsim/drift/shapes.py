"""The shape of an answer: its fields and their types, the order of its events, its headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson

from llmsim.core import Headers
from llmsim.recordings.answers import Json, dicts

OPEN: Final = frozenset({"metadata", "input", "args", "arguments", "parameters", "schema", "tools"})
"""Fields whose content is the user's."""

KINDED: Final = frozenset({"output", "content", "content_block", "item", "part", "delta", "tools"})
"""Fields whose objects say by their ``type`` what else they have."""

SILENT: Final = frozenset({"ping"})
"""Events that come when nothing else does."""

EVENT: Final = re.compile(
    rb"^(?:event: ?(?P<name>.*?)\r?\n)?data: ?(?P<data>.*?)\r?$", re.MULTILINE
)

PASSING: Final = re.compile(
    r"""date|server|server-timing|via|connection|keep-alive|alt-svc|set-cookie|vary|age|etag|nel
    |content-length|content-encoding|transfer-encoding|report-to|reporting-endpoints|priority
    |strict-transport-security|x-content-type-options|x-frame-options|x-xss-protection
    |cache-control|expires|cf-.*|x-llmsim-.*|x-envoy-.*|x-cloud-.*|.*ratelimit.*|retry-after""",
    re.VERBOSE,
)
"""Headers of whoever stands in front of a service, and of what there was at the time."""


class AnswerShape(NamedTuple):
    """``fields`` are pairs of a document's kind and a path in it, by their types, without null;
    ``kinds`` are all kinds of documents, ``order`` those of a stream as they follow each other,
    once where the same comes several times; ``headers`` are names."""

    status: int
    kinds: frozenset[str]
    fields: dict[tuple[str, str], frozenset[str]]
    order: tuple[str, ...]
    headers: frozenset[str]


def shape(status: int, headers: Headers, body: bytes) -> AnswerShape:
    """The shape of an answer, plain or a stream of events."""
    found: dict[tuple[str, str], set[str]] = {}
    order: list[str] = []
    kinds: set[str] = set()
    for kind, step, document in _documents(body):
        kinds.add(kind)
        if step and step not in SILENT and order[-1:] != [step]:
            order.append(step)
        for path, type_ in _fields(document, ""):
            found.setdefault((kind, path), set()).update((type_,) if type_ != "null" else ())
    names = {name.lower() for name, _ in headers if not PASSING.fullmatch(name.lower())}
    fields = {place: frozenset(types) for place, types in found.items()}
    return AnswerShape(status, frozenset(kinds), fields, tuple(order), frozenset(names))


def _documents(body: bytes) -> Iterator[tuple[str, str, Json]]:
    """The documents of an answer: the kind of each, its step in the order, and itself."""
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        yield from _events(body)
        return
    for one in whole if isinstance(whole, list) else [whole]:
        if isinstance(one, dict):
            yield "body", "body", one


def _events(body: bytes) -> Iterator[tuple[str, str, Json]]:
    for event in EVENT.finditer(body):
        data = event["data"]
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            document = {}
            if data.strip() != b"[DONE]":
                continue
        if not isinstance(document, dict):
            continue
        name = (event["name"] or b"").decode(errors="replace")
        kind = name or str(document.get("type") or document.get("object") or "")
        if data.strip() == b"[DONE]":
            yield "[DONE]", "[DONE]", {}
        else:
            kind = kind or "chunk"
            yield kind, _step(kind, document), document


def _step(kind: str, document: Json) -> str:
    """What a document is in the order of its stream: its kind, and of chunks, which all have the
    same, what they bring; "" for other choices than the first, which come between its chunks."""
    brought: list[str] = []
    chosen = [*dicts(document.get("choices")), *dicts(document.get("candidates"))]
    if chosen and all(str(one.get("index", 0)) != "0" for one in chosen):
        return ""
    for choice in dicts(document.get("choices")):
        delta = choice.get("delta")
        brought += sorted(delta) if isinstance(delta, dict) else ["text"] * bool(choice.get("text"))
        brought += ["finish_reason"] * bool(choice.get("finish_reason"))
    for candidate in dicts(document.get("candidates")):
        content = candidate.get("content")
        for part in dicts(content.get("parts") if isinstance(content, dict) else None):
            brought += sorted(part.keys() - {"thoughtSignature"})
        brought += ["finishReason"] * bool(candidate.get("finishReason"))
    if document.get("choices") == []:
        brought.append("usage")
    return f"{kind}({', '.join(dict.fromkeys(brought))})" if brought else kind


def _fields(value: Json, path: str) -> Iterator[tuple[str, str]]:
    for name, one in value.items():
        below = f"{path}.{name}" if path else name
        yield below, _type(one)
        if name in OPEN:
            continue
        if isinstance(one, dict):
            yield from _fields(one, below + _kind(name, one))
        elif isinstance(one, list):
            yield from _items(one, below, name)


def _items(values: Sequence[Any], path: str, name: str) -> Iterator[tuple[str, str]]:
    for one in values:
        if isinstance(one, dict):
            yield from _fields(one, f"{path}[]{_kind(name, one)}")
        else:
            yield f"{path}[]", _type(one)


def _kind(name: str, value: Json) -> str:
    """What the kind of an object adds to its path."""
    kind = value.get("type")
    return f"<{kind}>" if name in KINDED and isinstance(kind, str) else ""


def _type(value: Any) -> str:
    """JSON's name of a value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"
