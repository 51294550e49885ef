"""A provider is one value and one entry in the registry: everything else follows from it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import httpx
import orjson
import pytest
from click.testing import CliRunner

from llmsim.cli import main
from llmsim.config import Config, Metrics
from llmsim.providers import registry
from llmsim.runtime.holder import ConfigHolder
from llmsim.runtime.store import ConfigStore
from llmsim.server import routes
from llmsim.server.api_key_auth import ApiKeyAuth
from llmsim.server.application import build
from llmsim.server.handler import RequestHandler
from llmsim.server.pipeline_state import pipeline_state
from llmsim.server.services import Services
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.sqlite import Store, new_store
from llmsim.telemetry.prometheus import MetricsReading, render
from llmsim.telemetry.snapshot import Snapshot, WorkerSnapshot
from llmsim.transport.scheduler import Scheduler
from tests.providers.example_provider import ACME
from tests.runtime.worker import configured

T = TypeVar("T")
CHAT = "/acme/v1/chat"
BODY = {"model": "acme-1", "prompt": "Hi", "max_tokens": 5}
TEXT = """
server: {workers: 1, journal_mb: 1}
latency: {profile: instant}
keys: [{key: sesame}]
rate_limits: [{key: sesame, requests_per_minute: 2}]
"""


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "PROVIDERS", (*registry.PROVIDERS, ACME))


def served(scene: Callable[[httpx.AsyncClient, SharedState], Awaitable[T]]) -> T:
    """What happens at a server with that configuration, without processes or sockets."""

    async def run() -> T:
        with new_store() as path, closing(Store(path)) as store:
            folder = Path(path).parent
            config = configured(TEXT, folder)
            shared = SharedState(new_segment(config))
            config_store = ConfigStore(config, shared.segment, str(folder))
            holder = ConfigHolder(shared, config_store, pipeline_state(shared))
            scheduler = Scheduler(asyncio.get_running_loop(), shared.counters)
            handler = RequestHandler(config, holder, scheduler, shared)
            reread: Any = None
            services = Services(config, shared, holder, scheduler, handler, store, reread)
            app = build(routes.all_paths(services))
            transport = httpx.ASGITransport(app)
            headers = {"acme-key": "sesame"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://sim", headers=headers
            ) as client:
                return await scene(client, shared)

    return asyncio.run(run())


def answered(method: str, path: str, body: object = None) -> httpx.Response:
    async def scene(client: httpx.AsyncClient, shared: SharedState) -> httpx.Response:
        return await client.request(method, path, content=orjson.dumps(body))

    return served(scene)


def test_it_answers() -> None:
    response = answered("POST", CHAT, BODY)
    assert response.status_code == 200
    answer = response.json()
    assert answer["tokens"] == 5
    assert answer["text"]
    assert response.headers["acme-id"] == answer["id"]


def test_it_streams() -> None:
    response = answered("POST", CHAT, {**BODY, "stream": True})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    *chunks, last = [
        orjson.loads(event.removeprefix("data: ")) for event in response.text.split("\n\n")[:-1]
    ]
    assert len(chunks) == last["tokens"] == 5
    assert all(chunk["text"] for chunk in chunks)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", CHAT, {"model": "acme-1"}, 400, "invalid"),
        ("POST", CHAT, {**BODY, "prompt": "Hi " * 2_000_000}, 400, "context_length"),
        ("GET", CHAT, None, 405, "method"),
        ("GET", "/acme/v1/nothing", None, 404, "unknown_path"),
        ("GET", "/acme/v1/models/nobody", None, 404, "model_not_found"),
    ],
)
def test_its_errors_are_in_its_format(
    method: str, path: str, body: object, status: int, kind: str
) -> None:
    response = answered(method, path, body)
    error = response.json()
    assert (response.status_code, error["error"]) == (status, kind)
    assert response.headers["acme-id"] == error["id"]


@pytest.mark.parametrize(
    ("headers", "message"),
    [({"acme-key": "sesame"}, ""), ({"acme-key": "x"}, "wrong acme-key"), ({}, "no acme-key")],
)
def test_its_keys_let_in(headers: dict[str, str], message: str) -> None:
    shared = SharedState(new_segment(Config()))
    refused = ApiKeyAuth(shared.counters).refusal({"sesame"}, CHAT, "", headers.get)
    assert (refused is None) == (not message)
    if refused is not None:
        assert (refused[0], orjson.loads(refused[2])["message"]) == (401, message)


def test_its_rate_limits_are_in_its_headers() -> None:
    async def scene(client: httpx.AsyncClient, shared: SharedState) -> list[httpx.Response]:
        return [await client.post(CHAT, json=BODY) for _ in range(3)]

    responses = served(scene)
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert [response.headers["acme-left-requests"] for response in responses] == ["1", "0", "0"]
    assert responses[2].json()["error"] == "rate_limit"
    assert 0 < int(responses[2].headers["retry-after"]) <= 30


def test_its_models_are_listed() -> None:
    assert "gpt-4o" in answered("GET", "/acme/v1/models").json()["models"]
    one = answered("GET", "/acme/v1/models/gpt-4o").json()
    assert one == {"id": "gpt-4o", "context": 128_000}


def test_metrics_name_it() -> None:
    async def scene(client: httpx.AsyncClient, shared: SharedState) -> str:
        await client.post(CHAT, json=BODY)
        counters = [shared.counters]
        workers = [WorkerSnapshot.of(0, shared.counters)]
        reading = MetricsReading(Snapshot(counters), workers, 1, 0.0, 0.0)
        return render(reading, Metrics(), "", "")[0].decode()

    labels = f'dialect="acme",endpoint="{CHAT}",model="acme-1",status="200"'
    assert f"llmsim_requests_total{{{labels}}} 1.0" in served(scene)


def test_plan_speaks_it() -> None:
    def frame(body: bytes) -> Any:
        args = ["plan", "--json", "--dialect", "acme_chat"]
        plan = orjson.loads(CliRunner().invoke(main, args, input=body).stdout)
        return orjson.loads(plan["frames"][0]["frame"])

    assert frame(orjson.dumps(BODY))["tokens"] == 5
    assert frame(b"{}")["error"] == "invalid"
