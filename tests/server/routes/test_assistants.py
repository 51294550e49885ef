"""The paths of assistants, under both prefixes, and what they want of a request's head."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from llmsim.config import Config, OpenAISettings, Server
from llmsim.providers.openai.provider import PREFIXES
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.server.routes.assistants import add
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.sqlite import Store, new_store

HEADER = {"openai-beta": "assistants=v2"}


class Unasked:
    """A handler that no test asks for an answer."""

    async def settings(self, model: str) -> Any:
        raise AssertionError

    async def answer(self, port: Any, endpoint: Any, memory: Any) -> None:
        port.respond(200, [("content-type", "text/plain")], type(memory).__name__.encode())


@contextmanager
def served(config: Config, path: str | None = None) -> Iterator[TestClient]:
    with new_store() as fresh:
        store = Store(path or fresh)
        shared = SharedState(new_segment(Config(Server(workers=1, journal_mb=1))))
        services = SimpleNamespace(config=config, handler=Unasked(), store=store, shared=shared)
        router = Router()
        add(router, services)  # type: ignore[arg-type]
        with TestClient(build(router)) as client:
            yield client
        store.close()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_assistants_and_threads(prefix: str) -> None:
    with served(Config()) as client:
        made = client.post(f"{prefix}/assistants", json={"model": "gpt-4o"})
        assert made.headers["x-request-id"].startswith("req_")
        path = f"{prefix}/assistants/{made.json()['id']}"
        assert client.get(path).json() == made.json()
        assert client.post(path, json={"name": "x"}).json()["name"] == "x"
        assert client.get(f"{prefix}/assistants?limit=1").json()["data"][0]["name"] == "x"
        assert client.delete(path).json()["deleted"]
        assert client.get(path).status_code == 404
        thread = client.post(f"{prefix}/threads").json()["id"]
        message = {"role": "user", "content": "hi"}
        client.post(f"{prefix}/threads/{thread}/messages", json=message)
        assert len(client.get(f"{prefix}/threads/{thread}/messages").json()["data"]) == 1
        assert client.get(f"{prefix}/threads/{thread}/runs").json()["data"] == []
        assert client.put(f"{prefix}/threads").status_code == 405


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("path", "memory"),
    [
        ("/threads/runs", "NewRun"),
        ("/threads/thread_1/runs", "NewRun"),
        ("/threads/thread_1/runs/run_1/submit_tool_outputs", "SubmittedOutputs"),
    ],
)
def test_what_makes_a_run_work(prefix: str, path: str, memory: str) -> None:
    with served(Config()) as client:
        assert client.post(prefix + path, json={}).text == memory


def test_strict_validation_wants_the_header() -> None:
    with served(Config(validation="strict")) as client:
        refused = client.post("/v1/threads")
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "invalid_beta"
        assert client.post("/v1/threads", headers=HEADER).status_code == 200


@pytest.mark.parametrize("path", ["/v1/threads", "/v1/assistants"])
def test_strict_validation_refuses_unknown_fields(path: str) -> None:
    with served(Config(validation="strict")) as client:
        sent = {"model": "gpt-4o", "x": 1}
        error = client.post(path, json=sent, headers=HEADER).json()["error"]
        assert error["code"] == "unknown_parameter"


@pytest.mark.parametrize("path", ["/v1/threads//runs", "/v1/threads/thread_1/runs/"])
def test_a_name_that_is_left_out_is_no_path(path: str) -> None:
    with served(Config()) as client:
        assert client.post(path, json={}).json()["error"]["code"] == "unknown_url"


def test_gone() -> None:
    with served(Config(openai=OpenAISettings("gone"))) as client:
        for path in ("/v1/threads", "/v1/threads/runs", "/openai/v1/assistants"):
            refused = client.post(path, json={})
            assert refused.json()["error"]["code"] == "unknown_url"


def test_a_store_that_does_not_work(caplog: pytest.LogCaptureFixture) -> None:
    with served(Config(), "/nowhere/store.db") as client:
        refused = client.post("/v1/threads")
        assert refused.status_code == 500
        assert refused.json()["error"]["type"] == "server_error"
    (record,) = [one for one in caplog.records if one.name == "llmsim"]
    assert "the store does not work: /nowhere/store.db: unable to open" in record.getMessage()
    assert record.exc_info is None
