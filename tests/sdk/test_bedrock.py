"""boto3's `bedrock-runtime` and `AnthropicBedrock` get from llmsim what Bedrock gives them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import boto3
import pytest
from anthropic import AnthropicBedrock, DefaultHttpxClient
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError, ResponseStreamingError
from urllib3.exceptions import ProtocolError

from tests.serving import Server

HI: Any = [{"role": "user", "content": [{"text": "hi"}]}]
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
INVOKED = {
    "messages": [{"role": "user", "content": "hi"}],
    "max_tokens": 50,
    "anthropic_version": "bedrock-2023-05-31",
}
CONFIG = """\
latency: {profile: instant}
response: {target_tokens: 12}
keys: [{key: AKIDGOOD}]
errors:
  rules:
    - {model: "anthropic.once", first: 1, kind: rate_limit, retry_after_ms: 100}
    - {model: "anthropic.throttled", kind: rate_limit}
    - {model: "anthropic.down", kind: unavailable}
    - {model: "anthropic.broken", fault: {error_event: {after_tokens: 3}}}
    - {model: "anthropic.cut", fault: {cut: {after_tokens: 3}}}
    - {model: "anthropic.malformed", fault: {malformed: {after_tokens: 3}}}
"""


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file: Path = tmp_path_factory.mktemp("bedrock") / "sim.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    with serve("--workers", "2", "--config", str(file)) as server:
        yield server


def bedrock(sim: Server, key: str = "AKIDGOOD", attempts: int = 1) -> Any:
    retries: Any = {"total_max_attempts": attempts, "mode": "standard"}
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=sim.url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key="secret",
        config=Config(retries=retries, read_timeout=20, proxies={}),
    )


def claude(sim: Server, retries: int = 0) -> AnthropicBedrock:
    return AnthropicBedrock(
        base_url=sim.url,
        aws_region="us-east-1",
        aws_access_key="AKIDGOOD",
        aws_secret_key="secret",
        max_retries=retries,
        http_client=DefaultHttpxClient(trust_env=False),
    )


def test_converse(sim: Server) -> None:
    answer = bedrock(sim).converse(modelId=CLAUDE, messages=HI, inferenceConfig={"maxTokens": 50})
    assert answer["output"]["message"]["content"][0]["text"]
    assert answer["stopReason"] in ("end_turn", "max_tokens")
    assert answer["usage"]["inputTokens"] > 0
    assert answer["ResponseMetadata"]["RequestId"].count("-") == 4


def test_converse_streamed(sim: Server) -> None:
    events = list(bedrock(sim).converse_stream(modelId=CLAUDE, messages=HI)["stream"])
    text = "".join(
        one["contentBlockDelta"]["delta"]["text"] for one in events if "contentBlockDelta" in one
    )
    assert text
    assert [next(iter(one)) for one in events[-2:]] == ["messageStop", "metadata"]


@pytest.mark.parametrize("stream", [False, True])
def test_converse_calls_tools(sim: Server, stream: bool) -> None:
    spec = {"name": "look", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    asked: Any = {
        "modelId": CLAUDE,
        "messages": HI,
        "toolConfig": {"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}},
    }
    if stream:
        events = list(bedrock(sim).converse_stream(**asked)["stream"])
        started = [one["contentBlockStart"] for one in events if "contentBlockStart" in one]
        assert [one["start"]["toolUse"]["name"] for one in started] == ["look"]
        assert {"messageStop": {"stopReason": "tool_use"}} in events
    else:
        answer = bedrock(sim).converse(**asked)
        (block,) = answer["output"]["message"]["content"]
        assert block["toolUse"]["name"] == "look"
        turns = [
            *HI,
            answer["output"]["message"],
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": block["toolUse"]["toolUseId"],
                            "content": [{"text": "nothing"}],
                        }
                    }
                ],
            },
        ]
        del asked["toolConfig"]["toolChoice"]
        assert bedrock(sim).converse(**{**asked, "messages": turns})["stopReason"] != "tool_use"


def test_invoke(sim: Server) -> None:
    client = bedrock(sim)
    answer = client.invoke_model(modelId=CLAUDE, body=json.dumps(INVOKED))
    assert json.loads(answer["body"].read())["content"][0]["text"]
    streamed = client.invoke_model_with_response_stream(modelId=CLAUDE, body=json.dumps(INVOKED))
    chunks = [json.loads(one["chunk"]["bytes"]) for one in streamed["body"]]
    assert chunks[0]["type"] == "message_start"
    assert "amazon-bedrock-invocationMetrics" in chunks[-1]
    body = json.dumps({"inputText": "hi", "dimensions": 256})
    made = client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=body)
    assert len(json.loads(made["body"].read())["embedding"]) == 256


def test_count_tokens(sim: Server) -> None:
    client = bedrock(sim)
    counted = client.count_tokens(modelId=CLAUDE, input={"converse": {"messages": HI}})
    answer = client.converse(modelId=CLAUDE, messages=HI)
    assert counted["inputTokens"] == answer["usage"]["inputTokens"]


def test_anthropics_client(sim: Server) -> None:
    messages: Any = INVOKED["messages"]
    with claude(sim) as client:
        answer = client.messages.create(model=CLAUDE, max_tokens=50, messages=messages)
        assert answer.content[0].type == "text"
        with client.messages.stream(model=CLAUDE, max_tokens=50, messages=messages) as stream:
            assert stream.get_final_text()
        with pytest.raises(anthropic.RateLimitError):
            client.messages.create(model="anthropic.throttled", max_tokens=50, messages=messages)


@pytest.mark.parametrize(
    ("model", "key", "code", "status"),
    [
        (CLAUDE, "AKIDBAD", "UnrecognizedClientException", 403),
        ("anthropic.throttled", "AKIDGOOD", "ThrottlingException", 429),
        ("anthropic.down", "AKIDGOOD", "ServiceUnavailableException", 503),
    ],
)
def test_what_is_refused(sim: Server, model: str, key: str, code: str, status: int) -> None:
    with pytest.raises(ClientError) as caught:
        bedrock(sim, key).converse(modelId=model, messages=HI)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_the_clients_own_retries(sim: Server) -> None:
    answer = bedrock(sim, attempts=3).converse(modelId="anthropic.once", messages=HI)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def streamed(sim: Server, model: str) -> list[Any]:
    return list(bedrock(sim).converse_stream(modelId=model, messages=HI)["stream"])


def test_an_exception_in_a_stream(sim: Server) -> None:
    with pytest.raises(EventStreamError) as caught:
        streamed(sim, "anthropic.broken")
    assert caught.value.response["Error"]["Code"] == "serviceUnavailableException"
    messages: Any = INVOKED["messages"]
    with claude(sim) as client:
        create = client.messages.create
        with pytest.raises(anthropic.APIStatusError):
            list(create(model="anthropic.broken", max_tokens=50, messages=messages, stream=True))


def test_a_cut_stream_is_a_connection_that_broke(sim: Server) -> None:
    with pytest.raises((ResponseStreamingError, ProtocolError)):
        streamed(sim, "anthropic.cut")


def test_a_malformed_stream_fails_its_checksum(sim: Server) -> None:
    with pytest.raises(ChecksumMismatch):
        streamed(sim, "anthropic.malformed")
