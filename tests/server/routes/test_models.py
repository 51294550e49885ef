"""The listings of models: on the shared paths in the words of whoever asks."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from llmsim.config import Config, Models
from llmsim.runtime.runtime_config import runtime_config
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.server.routes.models import add, listed_paths
from llmsim.state.memory import memory_state

CLAUDE = {"x-api-key": "k"}
AZURES = {
    "id",
    "object",
    "status",
    "created_at",
    "updated_at",
    "created",
    "owned_by",
    "capabilities",
    "lifecycle_status",
    "deprecation",
}
GEMINI = {"x-goog-api-key": "k"}


def opened(config: Config) -> TestClient:
    paths = Router()
    holder = SimpleNamespace(runtime=runtime_config(config, memory_state(fresh=lambda: 7)))
    add(paths, SimpleNamespace(config=config, holder=holder))  # type: ignore[arg-type]
    return TestClient(build(paths))


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with opened(Config()) as made:
        yield made


def told(client: TestClient, path: str, headers: dict[str, str] | None = None) -> Any:
    response = client.get(path, headers=headers or {})
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize(
    ("path", "headers", "keys"),
    [
        ("/v1/models", {}, {"object", "data"}),
        ("/openai/v1/models", CLAUDE, {"object", "data"}),
        ("/openai/v1/models/gpt-4o", {"api-key": "k"}, AZURES),
        ("/openai/models/gpt-4o?api-version=2024-10-21", {}, AZURES),
        ("/v1/models", CLAUDE, {"data", "has_more", "first_id", "last_id"}),
        ("/anthropic/v1/models", {}, {"data", "has_more", "first_id", "last_id"}),
        ("/v1/models", GEMINI, {"models"}),
        ("/v1/models?key=k", {}, {"models"}),
    ],
)
def test_a_listing_is_in_the_callers_words(
    client: TestClient, path: str, headers: dict[str, str], keys: set[str]
) -> None:
    assert set(told(client, path, headers)) == keys


PATHS = [
    f"{prefix}/models"
    for prefix in (
        "/v1",
        "/openai/v1",
        "/openai",
        "/anthropic/v1",
        "/v1/publishers/google",
        "/v1beta1/publishers/google",
        "/v1alpha",
        "/v1beta",
        "/gemini/v1",
        "/gemini/v1alpha",
        "/gemini/v1beta",
    )
]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_lists_and_tells_of_one(client: TestClient, path: str) -> None:
    assert told(client, path)
    assert told(client, f"{path}/gemini-2.5-pro")


def test_there_are_no_other_paths() -> None:
    assert sorted(listed_paths()) == sorted(PATHS)


@pytest.mark.parametrize(
    ("path", "headers", "one"),
    [
        ("/v1/models/gpt-4o", {}, ("object", "model")),
        ("/v1/models/claude-haiku-4-5", CLAUDE, ("id", "claude-haiku-4-5-20251001")),
        ("/v1/models/claude-haiku-4-5", {}, ("id", "claude-haiku-4-5-20251001")),
    ],
)
def test_one_model(
    client: TestClient, path: str, headers: dict[str, str], one: tuple[str, str]
) -> None:
    assert one in told(client, path, headers).items()


def test_a_provider_lists_its_own(client: TestClient) -> None:
    names = [model["id"] for model in told(client, "/v1/models?limit=1000", CLAUDE)["data"]]
    assert names
    assert all(name.startswith("claude") for name in names)
    every = {model["id"] for model in told(client, "/v1/models")["data"]}
    assert {"gpt-4o", "claude-haiku-4-5-20251001", "gemini-2.5-pro"} <= every


def test_what_is_configured_is_listed_to_everyone() -> None:
    with opened(Config(models=Models(available=("mine", "gpt-4o")))) as client:
        for headers in ({}, CLAUDE):
            names = {model["id"] for model in told(client, "/v1/models", headers)["data"]}
            assert names == {"mine", "gpt-4o"}


@pytest.mark.parametrize(("headers", "key"), [({}, "code"), (CLAUDE, "type")])
def test_an_unknown_model(client: TestClient, headers: dict[str, str], key: str) -> None:
    response = client.get("/v1/models/nobody", headers=headers)
    assert response.status_code == 404
    assert "not_found" in response.json()["error"][key]


def test_the_head_has_an_id(client: TestClient) -> None:
    assert client.get("/v1/models").headers["x-request-id"].startswith("req_")
    assert client.get("/v1/models", headers=CLAUDE).headers["request-id"].startswith("req_")


def test_only_strict_validation_minds_a_cursor_that_points_nowhere(client: TestClient) -> None:
    path = "/v1/models?after_id=nobody"
    assert told(client, path, CLAUDE)["data"] == []
    with opened(Config(validation="strict")) as strict:
        assert strict.get(path, headers=CLAUDE).status_code == 400
