"""The page and what it is made of, and the events it lives on."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from llmsim.config import Config, Server
from llmsim.providers.wire import sse
from llmsim.server.admin.dashboard import EVENTS, POLICY, add, assets
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.state.shared_state import SharedState, new_segment


@pytest.fixture(scope="module")
def router() -> Router:
    made = Router()
    shared = SharedState(new_segment(Config(Server(workers=1, journal_mb=1))))
    add(made, SimpleNamespace(shared=shared, last_minute=None))  # type: ignore[arg-type]
    return made


@pytest.fixture(scope="module")
def client(router: Router) -> Iterator[TestClient]:
    with TestClient(build(router)) as made:
        yield made


@pytest.mark.parametrize("path", ["/llmsim", "/llmsim/"])
def test_the_page(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.url.path == "/llmsim/"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text.startswith("<!doctype html>")


def test_a_redirect_that_a_proxys_prefix_survives(client: TestClient) -> None:
    assert client.get("/llmsim", follow_redirects=False).headers["location"] == "llmsim/"


@pytest.mark.parametrize("name", assets())
def test_every_file_is_served_with_strict_headers(client: TestClient, name: str) -> None:
    response = client.get(f"/llmsim/web/{name}")
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-cache"
    assert response.content


def test_the_policy_allows_nothing_from_elsewhere_and_nothing_inline() -> None:
    assert "default-src 'self'" in POLICY
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"other", {tag}', 304),
        ('"other"', 200),
        ("", 200),
    ],
)
def test_what_the_browser_has_is_not_sent_again(
    client: TestClient, known: str, status: int
) -> None:
    tag = client.get("/llmsim/web/style.css").headers["etag"]
    response = client.get("/llmsim/web/style.css", headers={"if-none-match": known.format(tag=tag)})
    assert response.status_code == status
    assert bool(response.content) == (status == 200)
    assert response.headers["etag"] == tag


@pytest.mark.parametrize(
    "name", ["", "none.js", "../models.json", "%2e%2e/models.json", "..%2fmodels.json", "a/b.js"]
)
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/llmsim/web/{name}").status_code == 404


@pytest.mark.parametrize("name", [name for name in assets() if "uplot" not in name])
def test_nothing_names_another_host(name: str) -> None:
    content = assets()[name].content.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"http://" not in content
    assert b"https://" not in content


@pytest.mark.parametrize("name", [name for name in assets() if name.endswith((".html", ".js"))])
def test_nothing_is_inline_and_text_is_never_markup(name: str) -> None:
    content = assets()[name].content
    for forbidden in (b" style=", b"onclick=", b"innerHTML", b"outerHTML", b"insertAdjacentHTML"):
        assert forbidden not in content


class Watching:
    """A port whose client reads events."""

    def __init__(self) -> None:
        self.head: tuple[int, dict[str, str]] = (0, {})
        self.got: list[bytes] = []
        self.closed = False

    def open(self, status: int, headers: Any) -> "Watching":
        self.head = (status, dict(headers))
        return self

    def send(self, data: bytes) -> bool:
        self.got.append(data)
        return True

    def close(self) -> None:
        self.closed = True


def test_events_are_the_statistics_until_the_server_stops(router: Router) -> None:
    async def scene() -> Watching:
        port = Watching()
        await router.hot["GET", EVENTS](port)  # type: ignore[arg-type]
        for callback in router.on_shutdown:
            callback()
        return port

    port = asyncio.run(scene())
    assert port.head[0] == 200
    assert port.head[1]["content-type"] == "text/event-stream; charset=utf-8"
    assert port.closed
    (sent,) = port.got
    assert sent.startswith(b"retry: ")
    assert b"\nevent: stats\ndata: " in sent
    assert sent.endswith(b"\n\n")
    (data,) = sse.messages(sent)
    document = orjson.loads(data)
    assert {"uptime_s", "workers", "requests", "tokens", "lateness_ms"} <= document.keys()
    assert document["recent"] is None
