"""Admin auth: who may use which of llmsim's own endpoints."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from llmsim.config import Config, Control, Server
from llmsim.core.api_keys import ApiKey
from llmsim.server.admin.auth import (
    AdminAuth,
    AllowedHosts,
    hostname,
    is_cross_site,
    open_door,
    switch_off,
)
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.transport.port import Port

OWN = ("/llmsim/stats", "/llmsim/events", "/llmsim/config", "/llmsim/config/mocks")
PAGES = ("/llmsim", "/llmsim/", "/llmsim/web/app.js")
OPEN = ("/llmsim/images/x.png", "/llmsimple", "/health", "/v1/models")
BEARER = {"authorization": "Bearer s3cret"}


def auth(control: Control | None = None, *allowed_hosts: str) -> AdminAuth:
    return AdminAuth(control or Control(), Server(allowed_hosts=allowed_hosts))


@pytest.mark.parametrize(
    ("path", "covered", "needs_token"),
    [
        *((path, True, True) for path in OWN),
        *((path, True, False) for path in PAGES),
        *((path, False, False) for path in (*OPEN, "/metrics")),
    ],
)
def test_what_is_covered(path: str, covered: bool, needs_token: bool) -> None:
    checks = auth()
    assert (checks.covers(path), checks.needs_token(path)) == (covered, needs_token)


@pytest.mark.parametrize("protect", [True, False])
def test_metrics_are_covered_only_where_configured(protect: bool) -> None:
    checks = auth(Control(protect_metrics=protect))
    assert (checks.covers("/metrics"), checks.needs_token("/metrics")) == (protect, protect)


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
    auth(Control(token="s3cret")).protect(router)
    with TestClient(build(router), base_url="http://localhost") as made:
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
    refused = auth(control).refusal(True, method, headers.get)
    assert refused is not None
    assert refused.status_code == 403
    assert b"other sites" in bytes(refused.body)


def test_a_page_of_another_site_may_read_what_browsers_keep_from_it() -> None:
    headers = {"origin": "https://evil.example", "host": "localhost:8080"}
    assert auth().refusal(True, "GET", headers.get) is None


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
        ({"host": "sim", "origin": "http://["}, True),
        ({"host": "sim", "origin": "http://[::1"}, True),
        ({"host": "sim", "origin": ""}, True),
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
    auth(Control(token="s3cret")).protect(router)
    port: Any = Responding({})
    asyncio.run(router.hot["GET", "/llmsim/events"](port))  # type: ignore[arg-type]
    ((status, headers, body),) = port.sent
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("sim", "sim"),
        ("Sim.Example:8080", "sim.example"),
        ("sim.example.", "sim.example"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]:80", "::1"),
        ("[::1]", "::1"),
        ("::1", None),
        ("http:[", None),
        ("[", None),
        ("localhost@evil", None),
        ("evil/localhost", None),
        ("evil#localhost", None),
        ("evil\\@localhost", None),
        ("evil localhost", None),
        ("evil\n", None),
        (":80", None),
    ],
)
def test_the_name_in_a_host_header(host: str, name: str | None) -> None:
    assert hostname(host) == name


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, None),
        ({"host": "localhost:8080"}, None),
        ({"host": "app.localhost"}, None),
        ({"host": "10.1.2.3:8080"}, None),
        ({"host": "[fe80::1]"}, None),
        ({"host": "sim"}, None),
        ({"host": "SIM.corp.example:8080"}, None),
        ({"host": "corp.example"}, "corp.example"),
        ({"host": "evil.example:8080"}, "evil.example:8080"),
        ({"host": "localhost.evil.example"}, "localhost.evil.example"),
        ({"host": "127.0.0.1.evil.example"}, "127.0.0.1.evil.example"),
        ({"host": "2130706433"}, "2130706433"),
        ({"host": "["}, "["),
        ({"host": "10.1.2.3", "x-forwarded-host": "evil.example"}, "evil.example"),
        ({"host": "10.1.2.3", "x-forwarded-host": "sim, evil.example"}, "evil.example"),
        ({"host": "evil.example", "x-forwarded-host": "sim"}, "evil.example"),
        ({"host": "10.1.2.3", "x-forwarded-host": "sim, 10.1.2.3"}, None),
    ],
)
def test_by_which_names_a_server_may_be_addressed(
    headers: dict[str, str], refused: str | None
) -> None:
    assert AllowedHosts(("sim", "*.Corp.example")).refused(headers.get) == refused


def test_a_star_is_any_name() -> None:
    assert AllowedHosts(("*",)).refused({"host": "evil.example"}.get) is None


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("needs_token", [True, False])
def test_a_page_that_took_the_servers_address_is_refused(method: str, needs_token: bool) -> None:
    """DNS rebinding: to the browser, page and server are one site."""
    headers = {
        **BEARER,
        "host": "evil.example:8080",
        "origin": "http://evil.example:8080",
        "sec-fetch-site": "same-origin",
    }
    refused = auth(Control(token="s3cret")).refusal(needs_token, method, headers.get)
    assert refused is not None
    assert refused.status_code == 403
    assert b"server.allowed_hosts" in bytes(refused.body)
    named = auth(Control(token="s3cret"), "evil.example")
    assert named.refusal(needs_token, method, headers.get) is None


@pytest.mark.parametrize("path", ["/llmsim/", "/llmsim/events", "/llmsim/stats"])
def test_paths_of_both_kinds_ask_for_the_host(client: TestClient, path: str) -> None:
    assert client.get(path, headers={**BEARER, "host": "evil.example"}).status_code == 403


def test_other_paths_do_not_ask_for_the_host(client: TestClient) -> None:
    assert client.get("/v1/hot", headers={"host": "api.openai.com"}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/llmsim", "/llmsim/", "/llmsim/config/errors", "/llmsim/web/x"])
def test_switched_off_there_is_nothing(method: str, path: str) -> None:
    router = Router()
    switch_off(router)
    response = TestClient(build(router)).request(method, path)
    assert response.status_code == 404
    if method != "HEAD":
        assert "control.enabled" in response.json()["error"]["message"]


KEYS = (ApiKey("sk-1"),)
TOKEN_WAY = "set control.token (LLMSIM_TOKEN) or control.enabled: false"


@pytest.mark.parametrize(
    ("host", "control", "keys", "said"),
    [
        ("127.0.0.1", Control(), (), None),
        ("::1", Control(), (), None),
        ("0.0.0.0", Control(token="t"), KEYS, None),
        ("0.0.0.0", Control(enabled=False), KEYS, None),
        ("127.0.0.1", Control(), KEYS, TOKEN_WAY),
        ("0.0.0.0", Control(), (), f"{TOKEN_WAY} or server.host: 127.0.0.1"),
        ("::", Control(), KEYS, f"{TOKEN_WAY} or server.host: 127.0.0.1"),
    ],
)
def test_what_is_open_is_said(
    host: str, control: Control, keys: tuple[ApiKey, ...], said: str | None
) -> None:
    door = open_door(Config(server=Server(host=host), control=control, keys=keys))
    if said is None:
        assert door is None
        return
    assert door is not None
    assert door.endswith(said)
    assert f"{host} port 8080" in door
    assert "\n" not in door
    assert door.startswith("keys do not protect") == bool(keys)
