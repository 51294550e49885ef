"""Azure OpenAI around OpenAI's codecs: paths, the content filter's verdicts, errors, heads."""

from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

import llmsim
from llmsim.core import Stamp
from llmsim.core.errors import BadRequest, Exceeded, Failure, FailureKind, Measure
from llmsim.providers.azure.calls import AzureCall, azure_call, deployment, has_version
from llmsim.providers.azure.provider import AZURE
from llmsim.providers.provider import Endpoint
from llmsim.providers.wire import sse
from llmsim.providers.wire.json_members import with_members

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
UUID = "0115e901-2345-6789-abcd-ef0123456789"
HI = [{"role": "user", "content": "hi"}]
VERSION = "api-version=2024-10-21"


def called(path: str, query: str = VERSION, strict: bool = False) -> Endpoint:
    assert AZURE.pattern is not None
    assert AZURE.pattern.matches(path)
    return AZURE.pattern.endpoint(path, query, strict)


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/openai/deployments/d/chat/completions", AzureCall("chat/completions", "d")),
        ("/openai/deployments/d/completions", AzureCall("completions", "d")),
        ("/openai/deployments/my%20gpt/embeddings", AzureCall("embeddings", "my gpt")),
        ("/openai/deployments/meta/x/embeddings", AzureCall("embeddings", "meta/x")),
        ("/openai/responses", AzureCall("responses", None)),
        ("/openai/deployments/d/moderations", None),
        ("/openai/deployments/chat/completions", AzureCall("completions", "chat")),
        ("/openai/deployments//completions", None),
        ("/openai/chat/completions", None),
        ("/openai/responses/x", None),
    ],
)
def test_paths(path: str, call: AzureCall | None) -> None:
    assert azure_call(path) == call
    assert AZURE.pattern is not None
    assert AZURE.pattern.matches(path) is (call is not None)


def test_the_deployment_of_images() -> None:
    path = "/openai/deployments/my%20dall-e/images/generations"
    assert deployment(path, "images/generations") == "my dall-e"
    assert deployment("/openai/v1/images/generations", "images/generations") is None


@pytest.mark.parametrize(
    ("query", "lenient", "strict"),
    [
        ("", False, False),
        ("api-version=", False, False),
        ("version=2024-10-21", False, False),
        (VERSION, True, True),
        ("a=b&api-version=2025-04-01-preview", True, True),
        ("api-version=preview", True, True),
        ("api-version=tomorrow", True, False),
    ],
)
def test_versions(query: str, lenient: bool, strict: bool) -> None:
    assert (has_version(query, False), has_version(query, True)) == (lenient, strict)


def test_without_a_version_nothing_is_found() -> None:
    check = called("/openai/deployments/d/chat/completions", "").header_check
    assert check is not None
    with pytest.raises(BadRequest) as caught:
        check(lambda name: None)
    assert AZURE.errors.failure(caught.value.failure, STAMP) == (
        404,
        b'{"error":{"code":"404","message":"Resource not found"}}',
    )
    assert called("/openai/deployments/d/chat/completions").header_check is None


@pytest.mark.parametrize(
    ("body", "merged"),
    [
        (b"{}", b'{"model":"d"}'),
        (b' {"a":1 } \n', b'{"a":1,"model":"d"}'),
        (b'{"model":"x"}', b'{"model":"x","model":"d"}'),
        (b"", b""),
        (b"[1]", b"[1]"),
        (b"{", b"{"),
    ],
)
def test_members_are_put_into_objects(body: bytes, merged: bytes) -> None:
    assert with_members(body, b'"model":"d"') == merged


@pytest.mark.parametrize("body", [b'{"a":"b}', b'{"a":[1}', b'{"a":1,}', b'{"a"}', b'{"a":"}'])
def test_what_is_no_json_stays_none(body: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(with_members(body, b'"model":"d"'))


@pytest.mark.parametrize(
    ("operation", "question", "model"),
    [
        ("chat/completions", {"messages": HI}, "my-gpt"),
        ("completions", {"prompt": "hi"}, "my-gpt"),
        ("embeddings", {"input": "hi"}, "my-gpt"),
    ],
)
@pytest.mark.parametrize("named", [{}, {"model": "another"}])
def test_the_deployment_is_the_model(
    operation: str, question: dict[str, Any], model: str, named: dict[str, str]
) -> None:
    endpoint = called(f"/openai/deployments/{model}/{operation}")
    assert endpoint.codec.decode(orjson.dumps({**question, **named})).model == model


def test_azures_own_fields_are_known_to_strict_validation() -> None:
    path = "/openai/deployments/gpt-4o/chat/completions"
    codec = called(path, strict=True).codec
    assert codec.decode(orjson.dumps({"messages": HI, "data_sources": []})).model == "gpt-4o"
    with pytest.raises(BadRequest):
        codec.decode(orjson.dumps({"messages": HI, "data_source": []}))


def frames(response: Any, stream: bool, dialect: str = "azure_chat", **fields: Any) -> bytes:
    config = {"latency": {"profile": "instant"}, "mocks": [{"response": response}]}
    asked = {"messages": HI} if dialect == "azure_chat" else {"prompt": ["a", "b"]}
    body = {"model": "gpt-4o", **asked, "stream": stream, **fields}
    return b"".join(llmsim.plan(body, dialect=dialect, config=config).frames)


def chunks(response: Any, **fields: Any) -> list[dict[str, Any]]:
    events = sse.messages(frames(response, True, **fields))
    assert events[-1] == b"[DONE]"
    return [orjson.loads(event) for event in events[:-1]]


CALL = {"tool_calls": [{"name": "f", "arguments": {"x": 1}}]}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


@pytest.mark.parametrize(
    ("response", "fields", "violent"),
    [
        ("Hello there.", {}, False),
        ({"content": "Hello", "finish_reason": "content_filter"}, {}, True),
        (CALL, {"tools": TOOLS}, None),
    ],
)
def test_a_whole_answer_says_what_was_filtered(
    response: Any, fields: dict[str, Any], violent: bool | None
) -> None:
    answer = orjson.loads(frames(response, False, **fields))
    ChatCompletion.model_validate(answer)
    (prompt,) = answer["prompt_filter_results"]
    assert prompt["prompt_index"] == 0
    assert prompt["content_filter_results"]["jailbreak"] == {"filtered": False, "detected": False}
    results = answer["choices"][0]["content_filter_results"]
    if violent is None:
        assert results == {}
    else:
        assert results["violence"]["filtered"] is violent
        assert results["hate"] == {"filtered": False, "severity": "safe"}


def test_a_stream_begins_with_the_prompts_verdict_and_has_one_for_each_text() -> None:
    first, role, *texts, last = chunks("Hello there.", stream_options={"include_usage": False})
    assert (first["choices"], first["id"], first["model"]) == ([], "", "")
    assert first["prompt_filter_results"][0]["content_filter_results"]["violence"]
    assert role["choices"][0]["delta"]["role"] == "assistant"
    assert role["choices"][0]["content_filter_results"] == {}
    assert {len(one["choices"][0]["content_filter_results"]) for one in texts} == {4}
    assert last["choices"][0]["content_filter_results"] == {}
    for one in (role, *texts, last):
        ChatCompletionChunk.model_validate(one)


def test_a_filtered_stream_ends_with_the_category() -> None:
    last = chunks({"content": "Hello", "finish_reason": "content_filter"})[-1]["choices"][0]
    assert last["finish_reason"] == "content_filter"
    assert last["content_filter_results"]["violence"] == {"filtered": True, "severity": "medium"}


def test_calls_in_a_stream_are_not_filtered() -> None:
    for one in chunks(CALL, tools=TOOLS)[1:]:
        assert one["choices"][0]["content_filter_results"] == {}


def test_without_azure_a_stream_has_none_of_it() -> None:
    config = {"latency": {"profile": "instant"}}
    body = {"model": "gpt-4o", "messages": HI, "stream": True}
    sent = b"".join(llmsim.plan(body, dialect="openai_chat", config=config).frames)
    assert b"filter" not in sent


def test_each_prompt_of_legacy_completions_has_a_verdict() -> None:
    answer = orjson.loads(frames("Hi.", False, "azure_completions", n=2))
    assert [one["prompt_index"] for one in answer["prompt_filter_results"]] == [0, 1]
    assert all(one["content_filter_results"]["hate"] for one in answer["choices"])


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (
            AZURE.auth.refusal("wrong"),
            401,
            {"code": "401", "message": "Access denied due to invalid subscription key"},
        ),
        (
            AZURE.auth.refusal(""),
            401,
            {"code": "401", "message": "Unauthorized. Access token is missing"},
        ),
        (
            Failure(FailureKind.MODEL_NOT_FOUND, "there is no x", model="x"),
            404,
            {"code": "DeploymentNotFound", "message": "The API deployment for this resource"},
        ),
        (
            Failure(
                FailureKind.RATE_LIMIT, "", exceeded=Exceeded(Measure.TOKENS, 9, 9, 5, "d", 1.2)
            ),
            429,
            {"code": "429", "message": "Requests to the deployment d have exceeded token rate"},
        ),
        (Failure(FailureKind.UNKNOWN_PATH, "Invalid URL"), 404, {"message": "Resource not found"}),
        (
            Failure(FailureKind.INVALID, "no good", "n", "x"),
            400,
            {"message": "no good", "type": "invalid_request_error", "param": "n", "code": "x"},
        ),
        (
            Failure(FailureKind.SERVER_ERROR, "", injected=True),
            500,
            {"message": "The server had an error processing", "type": "server_error"},
        ),
    ],
    ids=["key", "no-key", "deployment", "limit", "path", "body", "server"],
)
def test_errors(failure: Failure, status: int, error: dict[str, str]) -> None:
    shown, body = AZURE.errors.failure(failure, STAMP)
    found = orjson.loads(body)["error"]
    assert shown == status
    for name, value in error.items():
        assert found[name].startswith(value)


def test_a_limit_says_when_to_try_again() -> None:
    exceeded = Exceeded(Measure.REQUESTS, 9, 9, 1, "d", 1.2)
    body = AZURE.errors.failure(Failure(FailureKind.RATE_LIMIT, "", exceeded=exceeded), STAMP)[1]
    assert b"call rate limit" in body
    assert b"Please retry after 2 seconds." in body


def test_a_filtered_prompt_says_what_it_was_filtered_for() -> None:
    failure = Failure(FailureKind.CONTENT_FILTER, "", injected=True)
    status, body = AZURE.errors.failure(failure, STAMP)
    error = orjson.loads(body)["error"]
    assert (status, error["code"], error["param"]) == (400, "content_filter", "prompt")
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert error["innererror"]["content_filter_result"]["violence"]["filtered"] is True


def test_heads_name_the_request_and_repeat_the_clients_id() -> None:
    plan = llmsim.plan({"model": "gpt-4o", "messages": HI}, dialect="azure_chat")
    endpoint = called("/openai/deployments/d/chat/completions")
    head = dict(endpoint.headers(plan, STAMP))
    assert head["apim-request-id"] == head["x-request-id"] == head["x-ms-client-request-id"] == UUID
    assert head["x-ms-region"]
    assert endpoint.echoing(lambda name: None) is endpoint
    mine = endpoint.echoing({"x-ms-client-request-id": "mine"}.get).headers(plan, STAMP)
    assert [value for name, value in mine if name == "x-ms-client-request-id"] == ["mine"]
    assert dict(AZURE.errors.headers(STAMP))["apim-request-id"] == UUID


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"api-key": " k "}, "k"),
        ({"authorization": "Bearer t"}, "t"),
        ({"api-key": "k", "authorization": "Bearer t"}, "k"),
        ({}, ""),
    ],
)
def test_keys(headers: dict[str, str], key: str) -> None:
    assert AZURE.auth.key(headers.get, "") == key
