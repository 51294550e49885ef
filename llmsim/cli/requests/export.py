"""Requests of the journal as other tools read them: a curl command, an HTTP archive."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from typing import Any, Final

from llmsim.recordings.exports.har import har
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
)

MASKED: Final = "…"
KEY: Final = "$API_KEY"
"""In place of a key that is masked."""
_PARTS: Final = re.compile(r"([\s=&?]+)")
OF_THE_CONNECTION: Final = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "user-agent"}
)


def curl(one: dict[str, Any], url: str) -> str:
    """A command that sends the request again to the server at ``url``."""
    details = one["details"] or {}
    words = ["curl", "-N" if one["stream"] else "-sS", _quoted(url + _path(one))]
    for name, value in details.get("headers") or [["content-type", "application/json"]]:
        if name not in OF_THE_CONNECTION:
            words += ["-H", _quoted(f"{name}: {value}")]
    words += ["-d", shlex.quote(_body(one))]
    return " ".join(words)


def archive(requests: Iterable[dict[str, Any]]) -> str:
    """All of them as one HTTP archive."""
    return "".join(har(map(_recording, requests))).rstrip()


def _path(one: dict[str, Any]) -> str:
    details = one["details"] or {}
    return str(details.get("url") or one["endpoint"])


def _body(one: dict[str, Any]) -> str:
    request = one["request"]
    return request if isinstance(request, str) else json.dumps(request, ensure_ascii=False)


def _quoted(text: str) -> str:
    """A word of the shell; a masked key in it comes from a variable."""
    if MASKED not in text:
        return shlex.quote(text)
    parts = [KEY if MASKED in part else part for part in _PARTS.split(text)]
    return '"' + "".join(parts).replace('"', '\\"') + '"'


def _recording(one: dict[str, Any]) -> Recording:
    details = one["details"] or {}
    path, _, query = _path(one).partition("?")
    answer, total = details.get("answer") or "", (one["actual"]["total_ms"] or 0.0) / 1e3
    first = one["actual"]["first_ms"]
    frames = []
    if answer:
        at = total if first is None else first / 1e3
        frames.append(RecordedFrame(at=at, body=Payload(text=answer)))
    return Recording(
        id=one["id"],
        arrived=one["arrived"],
        endpoint=one["endpoint"],
        model=one["model"],
        stream=one["stream"],
        request=RecordedRequest(
            path=path,
            query=query,
            headers=[(name, value) for name, value in details.get("headers") or []],
            body=Payload(text=_body(one)),
        ),
        response=RecordedResponse(
            status=one["status"] or 0,
            headers=[(name, value) for name, value in details.get("response_headers") or []],
            frames=frames,
            ended=total,
        ),
    )
