"""What pages of other origins may do."""

import pytest

from llmsim.server.entry.cors import Cors

PAGE = "https://app.example"
CORS = Cors((PAGE,))
ASKED = {
    "origin": PAGE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,x-stainless-os",
}


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/v1/chat/completions", "http://any.test", "*"),
        ("/v1beta/models/x:generateContent", "null", "*"),
        ("/nothing/here", PAGE, "*"),
        ("/llmsim/stats", PAGE, PAGE),
        ("/llmsim/stats", "http://any.test", None),
        ("/llmsim", "http://any.test", None),
        ("/metrics", "http://any.test", None),
        ("/llmsim/images/x.png", "http://any.test", "*"),
    ],
)
def test_who_may_read_an_answer(path: str, origin: str, allowed: str | None) -> None:
    assert dict(CORS.headers(path, origin)).get("access-control-allow-origin") == allowed


def test_a_preflight_reflects_the_headers_asked_for() -> None:
    head = dict(CORS.preflight("OPTIONS", "/v1/messages", ASKED.get) or ())
    assert head["access-control-allow-headers"] == ASKED["access-control-request-headers"]
    assert "POST" in head["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("method", "path", "without"),
    [
        ("POST", "/v1/messages", ""),
        ("OPTIONS", "/v1/messages", "origin"),
        ("OPTIONS", "/v1/messages", "access-control-request-method"),
    ],
)
def test_anything_else_is_no_preflight(method: str, path: str, without: str) -> None:
    header = {name: value for name, value in ASKED.items() if name != without}.get
    assert CORS.preflight(method, path, header) is None


def test_a_page_that_may_not_send_gets_no_preflight() -> None:
    asked = ASKED | {"origin": "http://any.test"}
    assert CORS.preflight("OPTIONS", "/llmsim/config", asked.get) is None
