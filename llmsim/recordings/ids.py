"""The ids in a recorded answer, and others in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from llmsim.core import Headers, Stamp
from llmsim.recordings.recording import Recording

ID: Final = re.compile(
    rb'"(?:id|item_id|call_id|tool_call_id|response_id|responseId)"\s*:\s*"([^"\\]+)"'
)
OWN_CHARACTERS: Final = 8
"""Characters after its prefix from which an id is taken for one of its own."""

REQUEST_HEADERS: Final = frozenset({"x-request-id", "request-id"})


def ids(one: Recording) -> tuple[str, ...]:
    """The ids that an answer gave, in their order: not those that its request had named."""
    asked = one.request.body.content
    found = dict.fromkeys(ID.findall(one.response.content))
    return tuple(
        name.decode(errors="replace")
        for name in found
        if len(_rest(name.decode(errors="replace"))) >= OWN_CHARACTERS and name not in asked
    )


def fresh(name: str, mark: str) -> str:
    """Another id of the same form: its prefix, and as many characters of the mark."""
    rest = _rest(name)
    return name[: len(name) - len(rest)] + (mark * (len(rest) // len(mark) + 1))[: len(rest)]


def with_fresh(frames: Sequence[bytes], names: Iterable[str], stamp: Stamp) -> list[bytes]:
    """The frames with others, as long, in the place of these ids, also where one is cut between
    frames. The first is made of the stamp's own mark, as ids of answers are."""
    body = b"".join(frames)
    for place, name in enumerate(names):
        mark = sha256(f"{stamp.mark}{place}".encode()).hexdigest() if place else stamp.mark
        body = body.replace(b'"%b"' % name.encode(), b'"%b"' % fresh(name, mark).encode())
    made, at = [], 0
    for frame in frames:
        made.append(body[at : at + len(frame)])
        at += len(frame)
    return made


def with_fresh_request(headers: Headers, stamp: Stamp) -> Headers:
    """A head with another id of the request."""
    return [
        (name, fresh(value, stamp.mark) if name in REQUEST_HEADERS else value)
        for name, value in headers
    ]


def _rest(name: str) -> str:
    """What follows an id's prefix."""
    return name.rpartition("_" if "_" in name else "-")[2]
