"""Requests of the journal as a curl command and as an HTTP archive."""

import json
import shlex
from typing import Any

import pytest

from llmsim.cli.requests.export import archive, curl

ENTRY: dict[str, Any] = {
    "id": "0" * 26,
    "endpoint": "/v1/chat/completions",
    "model": "gpt-4o",
    "status": 200,
    "arrived": 1_700_000_000.25,
    "actual": {"first_ms": 20.0, "total_ms": 50.0},
    "stream": True,
    "request": {"model": "gpt-4o", "messages": [{"role": "user", "content": "it's 'me'"}]},
    "details": {
        "url": "/v1/chat/completions?key=sec…5678&a=1",
        "headers": [
            ["host", "127.0.0.1:8080"],
            ["authorization", "Bearer sk-…1234"],
            ["x-a", 'b"c'],
        ],
        "response_headers": [["content-type", "text/event-stream"]],
        "answer": "data: [DONE]\n\n",
    },
}


def test_a_curl_command_sends_it_again() -> None:
    words = shlex.split(curl(ENTRY, "http://127.0.0.1:9000"))
    assert words[:2] == ["curl", "-N"]
    assert words[2] == "http://127.0.0.1:9000/v1/chat/completions?key=$API_KEY&a=1"
    assert words[3:7] == ["-H", "authorization: Bearer $API_KEY", "-H", 'x-a: b"c']
    assert words[7] == "-d"
    assert json.loads(words[8]) == ENTRY["request"]


@pytest.mark.parametrize("details", [ENTRY["details"], None])
def test_an_archive_has_request_answer_and_times(details: dict[str, Any] | None) -> None:
    document = json.loads(archive([ENTRY | {"details": details}]))
    (entry,) = document["log"]["entries"]
    assert entry["request"]["url"].endswith(
        "/v1/chat/completions" + ("?key=sec…5678&a=1" if details else "")
    )
    assert json.loads(entry["request"]["postData"]["text"]) == ENTRY["request"]
    assert entry["response"]["status"] == 200
    assert entry["time"] == 50.0
    if details:
        assert entry["response"]["content"]["text"] == "data: [DONE]\n\n"
        assert entry["timings"] == {"send": 0, "wait": 20.0, "receive": 30.0}
