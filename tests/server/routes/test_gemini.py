"""Gemini's paths: which call each stands for."""

from itertools import product
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from llmsim.providers.gemini.errors import VERBS
from llmsim.server.application import build
from llmsim.server.handler import Endpoint
from llmsim.server.router import Router
from llmsim.server.routes.gemini import DIALECTS, GeminiCall, add, endpoint, gemini_call
from llmsim.transport.port import Port

PREFIXES = ["/v1", "/v1beta", "/gemini/v1", "/gemini/v1beta"]


@pytest.mark.parametrize(("prefix", "verb"), list(product(PREFIXES, VERBS)))
def test_every_verb_under_every_prefix(prefix: str, verb: str) -> None:
    version = prefix.rpartition("/")[2]
    assert gemini_call(f"{prefix}/models/gemini-2.5-pro:{verb}") == (
        version,
        "gemini-2.5-pro",
        verb,
    )
    tuned = gemini_call(f"{prefix}/tunedModels/mine-1:{verb}")
    assert tuned == (version, "tunedModels/mine-1", verb)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("meta-llama/x", "meta-llama/x"),
        ("meta-llama%2Fx", "meta-llama/x"),
        ("a:b", "a:b"),
        ("a%3Ab", "a:b"),
        ("%C3%BCn%C3%AFcode", "ünïcode"),
        ("models/x", "models/x"),
    ],
)
def test_names_of_models(name: str, model: str) -> None:
    found = gemini_call(f"/v1beta/models/{name}:generateContent")
    assert found is not None
    assert found.model == model


def test_the_colon_may_be_encoded() -> None:
    assert gemini_call("/v1/models/x%3AcountTokens") == GeminiCall("v1", "x", "countTokens")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models",
        "/v1/models/x",
        "/v1/models/:generateContent",
        "/v1/models/x:",
        "/v1/models/x:tune",
        "/v1/models/x:generatecontent",
        "/v1/models/x:generateContent/",
        "/v2/models/x:generateContent",
        "/v1/chat/completions",
        "/openai/v1/models/x:generateContent",
        "/gemini/models/x:generateContent",
        "v1/models/x:generateContent",
    ],
)
def test_other_paths_are_no_calls(path: str) -> None:
    assert gemini_call(path) is None


@pytest.mark.parametrize("verb", VERBS)
def test_statistics_name_the_verb_and_not_the_model(verb: str) -> None:
    call = gemini_call(f"/gemini/v1/models/x:{verb}")
    assert call is not None
    assert endpoint(call, True).name == f"/v1beta/models:{verb}"


def test_every_verb_has_a_dialect() -> None:
    assert tuple(DIALECTS) == VERBS


def test_one_dialect_a_call_and_form_of_stream() -> None:
    call = gemini_call("/v1/models/x:streamGenerateContent")
    assert call is not None
    assert endpoint(call, True) is endpoint(call, True)
    assert endpoint(call, True).codec is not endpoint(call, False).codec


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
    async def answer(port: Port, asked: Endpoint) -> None:
        port.respond(200, [], asked.name.encode())

    paths = Router()
    add(paths, SimpleNamespace(handler=SimpleNamespace(answer=answer)))
    response = TestClient(build(paths)).post(f"{prefix}/{path}")
    assert response.status_code == status
    assert status != 200 or response.text.startswith("/v1beta/models:")
