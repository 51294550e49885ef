"""vLLM's own paths and its listing."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from llmsim.config import Config, Models
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.runtime.runtime_config import runtime_config
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.server.routes import models, vllm
from llmsim.state.memory import memory_state

SERVED = Models(("gpt-4o", "llama-3", "llama-3:sql"), servers=(("llama-*", "vllm"),))


def opened(config: Config) -> TestClient:
    paths = Router()
    holder = SimpleNamespace(runtime=runtime_config(config, memory_state(fresh=lambda: 7)))
    services: Any = SimpleNamespace(config=config, holder=holder)
    models.add(paths, services)
    vllm.add(paths, services)
    return TestClient(build(paths))


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with opened(Config(models=SERVED)) as made:
        yield made


HELLO = {"role": "user", "content": "Hello, wörld 🦙!"}
START, END, SEPARATOR = 200264, 200265, 200266


def test_a_prompt_there_and_back(client: TestClient) -> None:
    text = "Hello, wörld 🦙! <|im_start|>"
    request = {"model": "llama-3", "prompt": text, "return_token_strs": True}
    answer = client.post("/tokenize", json=request | {"add_special_tokens": False}).json()
    assert answer["tokens"] == tokenizer("o200k_base").ids(text)
    assert answer["count"] == len(answer["tokens"]) == len(answer["token_strs"])
    assert answer["token_strs"][0] == "Hello"
    assert answer["max_model_len"] == 1_000_000
    back = client.post("/detokenize", json={"model": "llama-3", "tokens": answer["tokens"]})
    assert back.json() == {"prompt": text}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "<|im_start|>user<|im_sep|>Hi<|im_end|><|im_start|>assistant<|im_sep|>"),
        ({"add_generation_prompt": False}, "<|im_start|>user<|im_sep|>Hi<|im_end|>"),
        (
            {"add_generation_prompt": False, "continue_final_message": True},
            "<|im_start|>user<|im_sep|>Hi",
        ),
    ],
    ids=["primed", "unprimed", "continued"],
)
def test_messages(client: TestClient, fields: dict[str, Any], expected: str) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    answer = client.post("/tokenize", json={"messages": messages, **fields}).json()
    assert answer["token_strs"] is None
    back = client.post("/detokenize", json={"tokens": answer["tokens"]})
    assert back.json() == {"prompt": expected}


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/tokenize", {}, 400, "BadRequestError"),
        ("/tokenize", {"prompt": "a", "messages": [HELLO]}, 400, "BadRequestError"),
        ("/tokenize", {"prompt": 7}, 400, "BadRequestError"),
        (
            "/tokenize",
            {"messages": [HELLO], "continue_final_message": True},
            400,
            "BadRequestError",
        ),
        ("/tokenize", {"prompt": "a", "model": "gpt-4o"}, 404, "NotFoundError"),
        ("/tokenize", {"prompt": "a", "model": "llama-9"}, 200, ""),
        ("/detokenize", {"tokens": [10**9]}, 400, "BadRequestError"),
        ("/detokenize", {"tokens": [-1]}, 400, "BadRequestError"),
        ("/detokenize", {"tokens": "a"}, 400, "BadRequestError"),
        ("/detokenize", {"tokens": []}, 200, ""),
    ],
    ids=str,
)
def test_what_is_refused(
    client: TestClient, path: str, body: dict[str, Any], status: int, kind: str
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    if status != 200:
        error = answer.json()["error"]
        assert (error["type"], error["code"]) == (kind, status)
        assert error["message"]


def test_the_model_has_to_be_said_where_only_a_pattern_is_known() -> None:
    config = Config(models=Models(servers=(("llama-*", "vllm"),)))
    with opened(config) as client:
        answer = client.post("/tokenize", json={"prompt": "a"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "model")
    named = Config(models=Models(servers=(("llama-*", "vllm"), ("qwen", "vllm"))))
    with opened(named) as client:
        assert client.post("/tokenize", json={"prompt": "a"}).json()["count"] == 1


def test_the_version(client: TestClient) -> None:
    assert client.get("/version").json() == {"version": "0.11.0"}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/tokenize"), ("POST", "/detokenize"), ("GET", "/version")]
)
def test_nothing_is_there_without_such_models(method: str, path: str) -> None:
    with opened(Config()) as client:
        answer = client.request(method, path, json={"prompt": "a", "tokens": []})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")


def test_the_listing(client: TestClient) -> None:
    plain, base, adapter = client.get("/v1/models").json()["data"]
    assert plain.keys() == {"id", "object", "created", "owned_by"}
    assert base["owned_by"] == "vllm"
    assert (base["root"], base["parent"], base["max_model_len"]) == ("llama-3", None, 1_000_000)
    (permission,) = base["permission"]
    assert permission["object"] == "model_permission"
    assert adapter["parent"] == "llama-3"
    assert client.get("/v1/models/llama-3").json() == base
