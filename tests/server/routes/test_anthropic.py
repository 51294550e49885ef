"""Anthropic's paths: where the results of a batch are, for whoever asks from wherever."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from llmsim.config import Config, Server
from llmsim.core import Plan
from llmsim.core.errors import Failure
from llmsim.engine.answer_size import TOO_LARGE
from llmsim.engine.plan import WholeFrame
from llmsim.providers.anthropic.provider import PREFIXES
from llmsim.providers.provider import Endpoint
from llmsim.server.application import build
from llmsim.server.load.unattended import Replanned
from llmsim.server.router import Router
from llmsim.server.routes.anthropic import add
from llmsim.state.sqlite import Store, new_store

BATCH = {"requests": [{"custom_id": "a", "params": {"n": 1}}, {"custom_id": "b", "params": {}}]}


class Answering:
    """Answers at once with what it was asked; refuses what asks for nothing."""

    async def answer(self, port: Any, endpoint: Endpoint) -> None:
        raise AssertionError("no test asks for this")

    def note(self, failure: Failure) -> None:
        self.noted = failure

    async def unawaited(
        self, endpoint: Endpoint, body: bytes, api_key: str, replanned: Replanned
    ) -> Plan:
        self.api_key = api_key
        status = 200 if body != b"{}" else 400
        return Plan(status, WholeFrame(body), np.zeros(1), False, 0.0, 0.0, 0)


@pytest.fixture
def answering() -> Answering:
    return Answering()


@pytest.fixture
def client(answering: Answering) -> Iterator[TestClient]:
    with new_store() as path:
        store = Store(path)
        context = SimpleNamespace(
            config=Config(Server(max_answer_bytes=10_000)),
            handler=answering,
            store=store,
            shared=None,
        )
        paths = Router()
        add(paths, context)  # type: ignore[arg-type]
        with TestClient(build(paths), base_url="http://sim:8000") as made:
            yield made
        store.close()


def test_the_requests_of_a_batch_are_those_of_its_api_key(
    client: TestClient, answering: Answering
) -> None:
    """Each key has prompt caches of its own."""
    client.post("/v1/messages/batches", json=BATCH, headers={"x-api-key": "mine"})
    assert answering.api_key == "mine"
    client.post("/v1/messages/batches", json=BATCH)
    assert answering.api_key == ""


@pytest.mark.parametrize(
    ("headers", "start"),
    [
        ({}, "http://sim:8000"),
        ({"host": "llm.example"}, "http://llm.example"),
        ({"x-forwarded-proto": "https", "x-forwarded-host": "g.example"}, "https://g.example"),
    ],
)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_results_are_where_the_client_reaches_them(
    client: TestClient, prefix: str, headers: dict[str, str], start: str
) -> None:
    path = f"{prefix}/messages/batches"
    name = client.post(path, json=BATCH).json()["id"]
    told = client.get(f"{path}/{name}", headers=headers).json()
    assert told["results_url"] == f"{start}{path}/{name}/results"
    lines = client.get(told["results_url"].removeprefix(start))
    assert lines.headers["content-type"] == "application/x-jsonl"
    assert lines.text == (
        '{"custom_id":"a","result":{"type":"succeeded","message":{"n":1}}}\n'
        '{"custom_id":"b","result":{"type":"errored","error":{}}}\n'
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/{id}"),
        ("GET", "/{id}/results"),
        ("POST", "/{id}/cancel"),
        ("DELETE", "/{id}"),
    ],
)
def test_a_batch_that_is_not_there(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, "/v1/messages/batches" + path.format(id="msgbatch_none"))
    assert response.status_code == 404
    assert response.json()["error"] == {
        "type": "not_found_error",
        "message": "message_batch: msgbatch_none",
    }


def test_many_requests_let_others_have_their_turn(client: TestClient) -> None:
    requests = [{"custom_id": f"{place}", "params": {"n": place}} for place in range(100)]
    told = client.post("/v1/messages/batches", json={"requests": requests}).json()
    assert told["request_counts"]["processing"] == 100


def test_every_head_has_an_id(client: TestClient) -> None:
    for response in (
        client.post("/v1/messages/batches", json=BATCH),
        client.get("/v1/messages/batches"),
        client.post("/v1/messages/batches", json={}),
    ):
        assert response.headers["request-id"].startswith("req_")
        assert response.headers["anthropic-organization-id"]


def test_a_batch_whose_results_are_too_large_is_refused(
    client: TestClient, answering: Answering
) -> None:
    requests = [{"custom_id": str(one), "params": {"n": "x" * 100}} for one in range(100)]
    answer = client.post(f"{PREFIXES[0]}/messages/batches", json={"requests": requests})
    assert answer.status_code == 400
    assert "server.max_answer_bytes" in answer.json()["error"]["message"]
    assert answering.noted.code == TOO_LARGE
    assert client.get(f"{PREFIXES[0]}/messages/batches").json()["data"] == []
