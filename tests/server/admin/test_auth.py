"""Admin auth: who may use which of llmsim's own endpoints."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from llmsim.config import Control
from llmsim.server.admin.auth import AdminAuth, is_cross_site
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.transport.port import Port

OWN = ("/llmsim/stats", "/llmsim/events", "/llmsim/config", "/llmsim/config/mocks")
OPEN = (
    "/llmsim",
    "/llmsim/",
    "/llmsim/web/app.js",
    "/llmsim/images/x.png",
    "/health",
    "/v1/models",
)
BEARER = {"authorization": "Bearer s3cret"}


@pytest.mark.parametrize(
    ("path", "covered"),
    [*((path, True) for path in OWN), *((path, False) for path in (*OPEN, "/metrics"))],
)
def test_what_is_covered(path: str, covered: bool) -> None:
    assert AdminAuth(Control()).covers(path) == covered


@pytest.mark.parametrize("protect", [True, False])
def test_metrics_are_covered_only_where_configured(protect: bool) -> None:
    assert AdminAuth(Control(protect_metrics=protect)).covers("/metrics") == protect


async def page(request: Request) -> Response:
    return PlainTextResponse("yes")


async def hot(port: Port) -> None:
    port.respond(200, [], b"yes")


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Paths of both kinds behind a token."""
    router = Router()
    router.hot["GET", "/llmsim/events"] = hot
    router.hot["GET", "/v1/hot"] = hot
    router.cold += [Route("/llmsim/stats", page), Route("/llmsim/", page)]
    AdminAuth(Control(token="s3cret")).protect(router)
    with TestClient(build(router)) as made:
        yield made


@pytest.mark.parametrize("path", ["/llmsim/events", "/llmsim/stats"])
@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer s3cret", 200),
        ("bearer  s3cret ", 200),
        ("Bearer s3cre", 401),
        ("Bearer", 401),
        ("Basic s3cret", 401),
        ("s3cret", 401),
        ("Bearer ü", 401),
        (None, 401),
    ],
)
def test_a_protected_path_needs_the_token(
    client: TestClient, path: str, authorization: str | None, status: int
) -> None:
    headers = {} if authorization is None else {"authorization": authorization.encode()}
    response = client.get(path, headers=headers)
    assert response.status_code == status
    if status == 401:
        assert response.headers["www-authenticate"] == 'Bearer realm="llmsim"'
        assert "control.token" in response.json()["error"]["message"]
    else:
        assert response.text == "yes"


@pytest.mark.parametrize("path", ["/llmsim/", "/v1/hot"])
def test_other_paths_need_none(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("control", [Control(), Control(token="s3cret")])
def test_a_page_of_another_site_may_change_nothing_token_or_not(
    method: str, control: Control
) -> None:
    headers = {**BEARER, "origin": "https://evil.example", "host": "localhost:8080"}
    refused = AdminAuth(control).refusal(method, headers.get)
    assert refused is not None
    assert refused.status_code == 403
    assert b"other sites" in bytes(refused.body)


def test_a_page_of_another_site_may_read_what_browsers_keep_from_it() -> None:
    headers = {"origin": "https://evil.example", "host": "localhost:8080"}
    assert AdminAuth(Control()).refusal("GET", headers.get) is None


@pytest.mark.parametrize(
    ("headers", "cross_site"),
    [
        ({}, False),
        ({"host": "sim:8080"}, False),
        ({"host": "sim:8080", "origin": "http://sim:8080"}, False),
        ({"host": "sim:8080", "origin": "https://sim:8080"}, False),
        ({"host": "sim:8080", "origin": "http://sim:9090"}, True),
        ({"host": "sim:8080", "origin": "null"}, True),
        ({"host": "inner", "x-forwarded-host": "sim, proxy", "origin": "http://sim"}, False),
        ({"host": "sim", "x-forwarded-host": "other", "origin": "http://sim"}, True),
        ({"host": "sim", "sec-fetch-site": "same-origin"}, False),
        ({"host": "sim", "origin": "http://sim", "sec-fetch-site": "cross-site"}, True),
    ],
)
def test_what_tells_a_page_of_another_site(headers: dict[str, str], cross_site: bool) -> None:
    assert is_cross_site(headers.get) == cross_site


class Responding:
    """A port that keeps what it is answered with."""

    method = "GET"

    def __init__(self, headers: dict[str, str]) -> None:
        self.header = headers.get
        self.sent: list[tuple[int, dict[str, str], bytes]] = []

    def respond(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.sent.append((status, dict(headers), body))


def test_a_hot_path_answers_with_the_whole_refusal() -> None:
    router = Router()
    router.hot["GET", "/llmsim/events"] = hot
    AdminAuth(Control(token="s3cret")).protect(router)
    port: Any = Responding({})
    asyncio.run(router.hot["GET", "/llmsim/events"](port))  # type: ignore[arg-type]
    ((status, headers, body),) = port.sent
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")
    assert int(headers["content-length"]) == len(body)
