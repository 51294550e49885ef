"""The paths that change a running server, without a server."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from llmsim.config import Config
from llmsim.server.admin import config_routes, mocks
from llmsim.server.application import build
from llmsim.server.router import Router
from tests.runtime.worker import Worker

CONTENT = {"content-type": "application/json"}


class Scene:
    """A worker, and a client of its own endpoints."""

    def __init__(self, folder: Path) -> None:
        self.file = Config(seed=1)
        self.renewed: list[int] = []
        self.worker = Worker(self.file, folder)
        self.worker.follow()
        self.worker.clock.woken = self.worker.take_over
        router = Router()
        services: Any = SimpleNamespace(
            holder=self.worker.holder,
            shared=self.worker.shared,
            reread=lambda: self.file,
            scopes=None,
            renew=lambda: self.renewed.append(1),
        )
        config_routes.add(router, services)
        mocks.add(router, services)
        self.client = TestClient(build(router))

    def send(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The JSON of an answer."""
        response = self.client.request(method, f"/llmsim/{path}", json=body, headers=CONTENT)
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    with made.client:
        yield made


def test_the_configuration_and_each_section_of_it(scene: Scene) -> None:
    document = scene.send("GET", "config")
    assert document["seed"] == 1
    assert scene.send("GET", "config/response") == document["response"]
    assert scene.send("GET", "latency") == document["latency"]


@pytest.mark.parametrize("path", ["config/latency", "latency"])
def test_a_section_is_patched_replaced_and_reset(scene: Scene, path: str) -> None:
    default = scene.send("GET", path)
    assert scene.send("PATCH", path, {"profile": "fast"})["profile"] == "fast"
    assert scene.worker.config.latency.default.profile == "fast"
    assert scene.send("PUT", path, {"profile": "instant"})["profile"] == "instant"
    assert scene.send("DELETE", path) == default
    assert scene.worker.config == scene.file


def test_several_sections_at_once(scene: Scene) -> None:
    assert scene.send("PATCH", "config", {"seed": 2, "latency": {"profile": "fast"}})["seed"] == 2
    assert scene.send("PUT", "config", {"seed": None, "latency": None}).get("seed") is None


def test_a_mock_is_added_shown_and_removed(scene: Scene) -> None:
    scene.send("POST", "mocks", {"name": "one", "response": "Hi"})
    (shown,) = scene.send("GET", "mocks")["mocks"]
    assert shown["name"] == "one"
    assert scene.send("DELETE", "mocks/one") is None
    (fault,) = scene.send("DELETE", "mocks/one", status=400)["error"]["faults"]
    assert (fault["key"], fault["message"]) == ("mocks", "no entry has the name 'one'")


def test_reload_reset_and_restart(scene: Scene) -> None:
    scene.send("PATCH", "config", {"seed": 2})
    scene.file = Config(seed=3, validation="strict")
    answer = scene.send("POST", "reload")
    assert answer == {"reloaded": True, "unchanged_until_restart": ["validation"]}
    assert scene.worker.config.seed == 3
    assert scene.renewed == [1]  # certificates are looked at, too
    assert scene.send("POST", "reset") == {"reset": True}
    assert scene.send("POST", "timetable/restart") == {"restarted": True}


@pytest.mark.parametrize(
    ("method", "path", "body", "keys"),
    [
        ("PATCH", "config/response", {"target_tokens": 0}, ["response.target_tokens"]),
        ("PATCH", "config", {"sed": 1, "seed": -1}, ["sed", "seed"]),
        ("PUT", "config/server", {"port": 1}, ["server"]),
        ("GET", "config/sed", None, ["sed"]),
        ("DELETE", "config/sed", None, ["sed"]),
    ],
)
def test_a_faulty_change_is_refused_with_every_fault(
    scene: Scene, method: str, path: str, body: Any, keys: list[str]
) -> None:
    error = scene.send(method, path, body, status=400)["error"]
    assert [fault["key"] for fault in error["faults"]] == keys
    for fault in error["faults"]:
        assert f"{method} /llmsim/{path}: {fault['key']}: {fault['message']}" in error["message"]
    assert scene.worker.config == scene.file


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "config"), ("PUT", "latency"), ("PATCH", "errors"), ("POST", "mocks")],
)
def test_what_a_page_of_another_site_could_send_unasked_is_refused(
    scene: Scene, method: str, path: str, content_type: str
) -> None:
    headers = {"content-type": content_type}
    response = scene.client.request(method, f"/llmsim/{path}", content=b"{}", headers=headers)
    assert response.status_code == 415
    message = response.json()["error"]["message"]
    assert message.startswith("content-type: must be one of application/json, ")
    assert message.endswith(f", not {content_type!r}")


def test_a_change_in_yaml(scene: Scene) -> None:
    headers = {"content-type": "application/yaml; charset=utf-8"}
    response = scene.client.patch("/llmsim/config", content=b"seed: 9", headers=headers)
    assert response.json()["seed"] == 9


@pytest.mark.parametrize("path", ["limits", "mocks"])
def test_these_short_paths_answer_get_elsewhere(tmp_path: Path, path: str) -> None:
    router = Router()
    worker = Worker(Config(), tmp_path)
    services: Any = SimpleNamespace(
        holder=worker.holder, shared=worker.shared, reread=None, scopes=None, renew=None
    )
    config_routes.add(router, services)
    with TestClient(build(router)) as client:
        assert client.get(f"/llmsim/{path}").status_code == 405
