"""A whole recording with values replaced: heads, query, request, and the answer frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

from msgspec import structs

from llmsim.recordings import credentials
from llmsim.recordings.anonymise import bodies
from llmsim.recordings.anonymise.anonymiser import Anonymiser, AnonymiseRules, Edit, applied
from llmsim.recordings.recording import (
    Pairs,
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
    Replaced,
)


def anonymised(
    recording: Recording, rules: AnonymiseRules, salt: bytes | None = None
) -> tuple[Recording, Anonymiser]:
    """The recording as it may be kept, and what was replaced in it. ``salt`` makes the fakes of
    several recordings the same for the same values; without it each has its own."""
    anonymiser = Anonymiser(rules.finders(), salt)
    request, response = recording.request, recording.response
    asked = bodies.text_of(request.body.content)
    contents = [frame.body.content for frame in response.frames]
    answered = bodies.text_of(b"".join(contents))
    _learn_heads(anonymiser, request, response)
    asked_pieces, answered_pieces = bodies.pieces(asked), bodies.pieces(answered)
    bodies.look(anonymiser, asked, asked_pieces)
    bodies.look(anonymiser, answered, answered_pieces)
    for text in (unquote(request.path), unquote(request.query)):
        anonymiser.look(text)
    asked_changes = bodies.edits(anonymiser, asked, "request", asked_pieces)
    changes = bodies.edits(anonymiser, answered, "response", answered_pieces)
    pieces = bodies.frames(contents, changes, answered)
    made = structs.replace(
        recording,
        request=structs.replace(
            request,
            path=_path(anonymiser, request.path),
            query=_query(anonymiser, request.query),
            headers=_headers(anonymiser, request.headers, "request header"),
            body=_payload(asked, asked_changes),
        ),
        response=structs.replace(
            response,
            headers=_headers(anonymiser, response.headers, "response header"),
            frames=[
                _with_body(frame, piece)
                for frame, piece in zip(response.frames, pieces, strict=True)
            ],
        ),
        correlation={
            name: _text(anonymiser, value, "correlation")
            for name, value in recording.correlation.items()
        },
    )
    kinds: dict[str, int] = {}
    for (kind, _), number in sorted(anonymiser.replaced.items()):
        kinds[kind] = kinds.get(kind, 0) + number
    replaced = Replaced(mode=rules.mode, kinds=kinds, tokens_changed=anonymiser.tokens_changed)
    return structs.replace(made, anonymised=replaced), anonymiser


def without_credentials(recording: Recording) -> Recording:
    """The recording without headers and query parameters that have credentials: what is kept where
    nothing is anonymised."""
    request, response = recording.request, recording.response
    parts = request.query.split("&")
    query = [one for one in parts if not credentials.in_parameter(one.partition("=")[0])]
    return structs.replace(
        recording,
        request=structs.replace(
            request, headers=_open_headers(request.headers), query="&".join(query)
        ),
        response=structs.replace(response, headers=_open_headers(response.headers)),
    )


def _open_headers(pairs: Pairs) -> Pairs:
    return [(name, value) for name, value in pairs if not credentials.in_header(name)]


def _learn_heads(
    anonymiser: Anonymiser, request: RecordedRequest, response: RecordedResponse
) -> None:
    for name, value in (*request.headers, *response.headers):
        if credentials.in_header(name):
            anonymiser.learn(credentials.parted(value)[1], "api_key")
        else:
            anonymiser.look(value)
    for name, value in _parameters(request.query):
        if credentials.in_parameter(name):
            anonymiser.learn(unquote(value), "api_key")


def _headers(anonymiser: Anonymiser, pairs: Pairs, place: str) -> Pairs:
    made = []
    for name, value in pairs:
        if credentials.in_header(name):
            scheme, credential = credentials.parted(value)
            fake = anonymiser.whole(credential, "api_key", place) if credential else ""
            made.append((name, scheme + fake))
        else:
            made.append((name, _text(anonymiser, value, place)))
    return made


def _text(anonymiser: Anonymiser, text: str, place: str) -> str:
    return applied(text, anonymiser.edits(text, place))


def _path(anonymiser: Anonymiser, path: str) -> str:
    clear = unquote(path)
    made = _text(anonymiser, clear, "path")
    return path if made == clear else quote(made, safe="/:@")


def _query(anonymiser: Anonymiser, query: str) -> str:
    made = []
    for name, value in _parameters(query):
        clear = unquote(value)
        if credentials.in_parameter(name) and clear:
            new = anonymiser.whole(clear, "api_key", "query")
        else:
            new = _text(anonymiser, clear, "query")
        written = value if new == clear else quote(new, safe="")
        made.append(f"{name}={written}" if value or f"{name}=" in query else name)
    return "&".join(made)


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        yield name, value


def _payload(body: str, changes: Iterable[Edit]) -> Payload:
    return Payload.of(applied(body, changes).encode(errors="surrogateescape"))


def _with_body(frame: RecordedFrame, content: bytes) -> RecordedFrame:
    return structs.replace(frame, body=Payload.of(content))
