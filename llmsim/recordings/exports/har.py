"""Recordings as an HTTP archive, HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/).

It has no place for the times of frames: they are in ``_frames``, as the format allows for fields of
one's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from llmsim import __version__
from llmsim.recordings.recording import Pairs, Payload, Recording

NO_HOST = "http://llmsim.invalid"
"""In place of the host, which is not recorded where the client sent none."""


def har(recordings: Iterable[Recording]) -> Iterator[str]:
    """One JSON document."""
    creator = json.dumps({"name": "llmsim", "version": __version__})
    yield f'{{"log":{{"version":"1.2","creator":{creator},"entries":[\n'
    comma = ""
    for one in recordings:
        yield comma + json.dumps(_entry(one), ensure_ascii=False)
        comma = ",\n"
    yield "\n]}}\n"


def _entry(one: Recording) -> dict[str, Any]:
    response, frames = one.response, one.response.frames
    wait = frames[0].at if frames else response.ended
    started = datetime.fromtimestamp(one.arrived, UTC).isoformat().replace("+00:00", "Z")
    return {
        "startedDateTime": started,
        "time": _ms(response.ended),
        "request": _request(one),
        "response": {
            "status": response.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(response.headers),
            "content": _content(response.content, _header(response.headers, "content-type")),
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(response.content),
        },
        "cache": {},
        "timings": {"send": 0, "wait": _ms(wait), "receive": _ms(response.ended - wait)},
        "_id": one.id,
        "_frames": [
            {"at": _ms(frame.at), "size": len(frame.body.content), "tokens": frame.tokens}
            for frame in frames
        ],
    }


def _request(one: Recording) -> dict[str, Any]:
    request = one.request
    host = _header(request.headers, "host")
    query = f"?{request.query}" if request.query else ""
    kind = _header(request.headers, "content-type") or "application/json"
    content = request.body.content
    said: dict[str, Any] = {"postData": {"mimeType": kind} | _text(content)} if content else {}
    return said | {
        "method": request.method,
        "url": (f"http://{host}" if host else NO_HOST) + request.path + query,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request.headers),
        "queryString": _pairs(parse_qsl(request.query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": len(content),
    }


def _content(content: bytes, kind: str) -> dict[str, Any]:
    return {"size": len(content), "mimeType": kind} | _text(content)


def _text(content: bytes) -> dict[str, str]:
    payload = Payload.of(content)
    if payload.base64:
        return {"text": payload.base64, "encoding": "base64"}
    return {"text": payload.text}


def _pairs(pairs: Pairs) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _header(pairs: Pairs, name: str) -> str:
    return next((value for one, value in pairs if one.lower() == name), "")


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
