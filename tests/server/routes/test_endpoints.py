"""Every provider's endpoints are where the registry says."""

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from llmsim.config import Config
from llmsim.providers import registry
from llmsim.providers.provider import Endpoint
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.server.routes.endpoints import add
from llmsim.transport.port import Port

PREFIXES = ["/v1", "/v1beta", "/gemini/v1", "/gemini/v1beta"]


def served(memories: Any = None) -> Router:
    """The paths, each of which says what answers it."""

    async def answer(port: Port, endpoint: Endpoint, memory: object = None) -> None:
        port.respond(200, [], f"{endpoint.name} {memory}".encode())

    paths = Router()
    context: Any = SimpleNamespace(config=Config(), handler=SimpleNamespace(answer=answer))
    add(paths, context, memories or {})
    return paths


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("models/x:generateContent", 200),
        ("models/meta-llama/x:y:countTokens", 200),
        ("models/meta-llama%2Fx%3AcountTokens", 200),
        ("tunedModels/x:embedContent", 200),
        ("models/x:tune", 404),
        ("models/x", 404),
    ],
)
def test_under_starlette_the_same_paths_are_calls(prefix: str, path: str, status: int) -> None:
    response = TestClient(build(served())).post(f"{prefix}/{path}")
    assert response.status_code == status
    assert status != 200 or response.text.startswith("/v1beta/models:")


def test_each_path_leads_to_its_endpoint_and_memory() -> None:
    memories: Any = {"/v1/responses": "remembered"}
    client = TestClient(build(served(memories)))
    for provider in registry.PROVIDERS:
        for endpoint in provider.endpoints(False):
            for path in endpoint.paths:
                said = client.post(path).text
                assert said == f"{endpoint.name} {memories.get(endpoint.name)}"
