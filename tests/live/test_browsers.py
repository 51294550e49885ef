"""Pages of other origins, and bodies by their Content-Encoding, against a real server."""

import gzip

import brotli
import httpx
import pytest

PAGE = {"origin": "http://app.test"}
BODY = b'{"model":"gpt-4o","max_tokens":4,"messages":[{"role":"user","content":"hi"}]}'
PATH = "/v1/chat/completions"


@pytest.mark.parametrize("path", [PATH, "/v1/messages", "/v1beta/models/x:generateContent"])
def test_a_preflight_is_answered(server: str, path: str) -> None:
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-stainless-os",
    }
    answer = httpx.options(server + path, headers=PAGE | asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "x-stainless-os" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", PATH, BODY, 200),
        ("POST", PATH, BODY.replace(b"4}", b'4,"stream":true}'), 200),
        ("POST", PATH, b"{", 400),
        ("GET", "/v1/models", b"", 200),
        ("GET", "/v1/nothing", b"", 404),
    ],
)
def test_a_page_may_read_every_answer(
    server: str, method: str, path: str, body: bytes, status: int
) -> None:
    answer = httpx.request(method, server + path, content=body, headers=PAGE)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"


def test_llmsims_own_endpoints_are_closed_to_it(server: str) -> None:
    answer = httpx.get(f"{server}/llmsim/stats", headers=PAGE)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("path", "body", "encoding", "status"),
    [
        (PATH, gzip.compress(BODY), "gzip", 200),
        (PATH, brotli.compress(BODY), "br", 200),
        (PATH, BODY, "gzip", 400),
        (PATH, BODY, "lzma", 415),
        ("/v1/threads", gzip.compress(b"{}"), "gzip", 200),
        ("/v1/threads", b"{}", "gzip", 400),
    ],
    ids=range(6),
)
def test_a_body_is_read_as_its_head_says(
    server: str, path: str, body: bytes, encoding: str, status: int
) -> None:
    answer = httpx.post(server + path, content=body, headers={"content-encoding": encoding})
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["error"]["type"] == "invalid_request_error"
