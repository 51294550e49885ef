"""AWS Bedrock around Anthropic's codec: paths, Converse, InvokeModel, exceptions."""

import json
from base64 import b64decode, b64encode
from functools import cache
from typing import Any

import orjson
import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import EventStreamJSONParser

import llmsim
from llmsim.core import Request, Stamp
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.providers.bedrock.calls import BedrockCall, bedrock_call
from llmsim.providers.bedrock.invoke import VERSION
from llmsim.providers.bedrock.provider import BEDROCK
from llmsim.providers.provider import Endpoint

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
HI: Any = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
TOOL = {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}


@cache
def shape(name: str) -> Any:
    model = Loader().load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(model).shape_for(name)


def called(operation: str, model: str = CLAUDE, strict: bool = False) -> Endpoint:
    path = f"/model/{model.replace(':', '%3A')}/{operation}"
    assert BEDROCK.pattern is not None
    assert BEDROCK.pattern.matches(path)
    return BEDROCK.pattern.endpoint(path, "", strict)


@pytest.mark.parametrize(
    ("path", "call"),
    [
        (
            "/model/anthropic.claude-v2%3A1/converse",
            BedrockCall("anthropic.claude-v2:1", "converse"),
        ),
        ("/model/a:0/converse-stream", BedrockCall("a:0", "converse-stream")),
        ("/model/a/invoke", BedrockCall("a", "invoke")),
        ("/model/a/count-tokens", BedrockCall("a", "count-tokens")),
        (
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.a/invoke",
            BedrockCall("us.a", "invoke"),
        ),
        ("/model/a/invoke-with-response-stream", BedrockCall("a", "invoke-with-response-stream")),
        ("/model/a/nothing", None),
        ("/model//invoke", None),
        ("/models/a/invoke", None),
    ],
)
def test_paths(path: str, call: BedrockCall | None) -> None:
    assert bedrock_call(path) == call
    assert BEDROCK.pattern is not None
    assert BEDROCK.pattern.matches(path) is (call is not None)


def converse(**fields: Any) -> Request:
    return called("converse").codec.decode(orjson.dumps(HI | fields))


def test_a_converse_request_is_read_as_anthropics() -> None:
    pixel = b64encode(b"GIF89a\x01\x00\x02\x00").decode()
    request = converse(
        messages=[
            {
                "role": "user",
                "content": [
                    {"text": "Look. "},
                    {"image": {"format": "gif", "source": {"bytes": pixel}}},
                    {"cachePoint": {"type": "default"}},
                ],
            },
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "t1", "name": "look", "input": {"a": 1}}}],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "t1", "content": [{"json": {"b": 2}}]}}],
            },
        ],
        system=[{"text": "Be brief."}],
        inferenceConfig={"maxTokens": 7, "stopSequences": ["x"]},
        toolConfig={"tools": [TOOL], "toolChoice": {"any": {}}},
    )
    assert (request.model, request.max_tokens, request.stop) == (CLAUDE, 7, ("x",))
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "tool"]
    assert request.messages[1].images
    assert request.messages[2].calls[0].name == "look"
    assert '"b":2' in request.messages[3].text
    assert [tool.name for tool in request.tools] == ["look"]
    assert request.choice.mode == "required"
    assert request.breakpoints


def test_the_operation_says_whether_to_stream() -> None:
    body = orjson.dumps(HI)
    assert called("converse-stream").codec.decode(body).stream
    assert not called("converse").codec.decode(body).stream
    assert called("converse").codec.decode(body).max_tokens is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "Unable to parse"),
        (b"{}", "Value at 'messages' failed to satisfy constraint: Member must not be null"),
        (b'{"messages":3}', "Value at 'messages' failed to satisfy constraint"),
        (b'{"messages":[{"role":"user","content":[{"vision":{}}]}]}', "vision is not supported"),
        (b'{"messages":[]}', "The model returned the following errors: "),
    ],
)
def test_what_is_no_converse_request(body: bytes, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        called("converse").codec.decode(body)
    assert said in caught.value.failure.message


def test_strict_validation_is_anthropics() -> None:
    body = orjson.dumps(HI | {"additionalModelRequestFields": {"colour": 1}})
    assert called("converse").codec.decode(body)
    with pytest.raises(BadRequest) as caught:
        called("converse", strict=True).codec.decode(body)
    assert "colour: Extra inputs are not permitted" in caught.value.failure.message


def sent(body: dict[str, Any], dialect: str, response: Any = "Hello there.") -> bytes:
    config = {"latency": {"profile": "instant"}, "mocks": [{"response": response}]}
    return b"".join(llmsim.plan({"model": CLAUDE, **body}, dialect=dialect, config=config).frames)


def events(data: bytes, stream: str) -> list[dict[str, Any]]:
    """As botocore gives them to its users."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    parser = EventStreamJSONParser()
    return [parser.parse(one.to_response_dict(), shape(stream)) for one in buffer]


CALL = {"content": "Look:", "tool_calls": [{"name": "look", "arguments": {"a": 1}}]}
TOOLS = {"toolConfig": {"tools": [TOOL]}}


@pytest.mark.parametrize(
    ("response", "fields", "reason"),
    [
        ("Hello there.", {}, "end_turn"),
        (CALL, TOOLS, "tool_use"),
        ({"content": "Hm", "finish_reason": "length"}, {}, "max_tokens"),
        ({"content": "Hm", "finish_reason": "content_filter"}, {}, "content_filtered"),
        (
            {"content": "Hm", "finish_reason": "content_filter"},
            {"guardrailConfig": {"guardrailIdentifier": "g", "trace": "enabled"}},
            "guardrail_intervened",
        ),
        ({"reasoning": "Let me see.", "content": "Hello"}, {}, "end_turn"),
    ],
    ids=["text", "tool", "length", "filter", "guardrail", "reasoning"],
)
def test_converse_plain_and_streamed(response: Any, fields: dict[str, Any], reason: str) -> None:
    plain = orjson.loads(sent(HI | fields, "bedrock_converse", response))
    assert plain["stopReason"] == reason
    assert plain["usage"]["totalTokens"] == (
        plain["usage"]["inputTokens"] + plain["usage"]["outputTokens"]
    )
    streamed = sent(HI | fields | {"stream": True}, "bedrock_converse", response)
    first, *middle, stop, metadata = events(streamed, "ConverseStreamOutput")
    assert first == {"messageStart": {"role": "assistant"}}
    assert stop == {"messageStop": {"stopReason": reason}}
    assert metadata["metadata"]["usage"] == plain["usage"]
    assert metadata["metadata"].get("trace") == plain.get("trace")
    assert joined(middle) == plain["output"]["message"]["content"]


def joined(middle: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks that the events of a stream make."""
    blocks: dict[int, dict[str, Any]] = {}
    for one in middle:
        ((kind, value),) = one.items()
        block = blocks.setdefault(value["contentBlockIndex"], {})
        if kind == "contentBlockStart":
            block["toolUse"] = {**value["start"]["toolUse"], "input": ""}
        elif kind == "contentBlockDelta":
            delta = value["delta"]
            if "text" in delta:
                block["text"] = block.get("text", "") + delta["text"]
            elif "toolUse" in delta:
                block["toolUse"]["input"] += delta["toolUse"]["input"]
            else:
                ((name, text),) = delta["reasoningContent"].items()
                thought = block.setdefault("reasoningContent", {"reasoningText": {}})
                so_far = thought["reasoningText"].get(name, "")
                thought["reasoningText"][name] = so_far + text
        else:
            assert kind == "contentBlockStop"
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    return [blocks[index] for index in sorted(blocks)]


def test_a_guardrail_says_what_it_blocked() -> None:
    config = {"guardrailConfig": {"guardrailIdentifier": "g", "trace": "enabled"}}
    answer = orjson.loads(
        sent(HI | config, "bedrock_converse", {"finish_reason": "content_filter"})
    )
    (policy,) = answer["trace"]["guardrail"]["outputAssessments"]["g"]
    assert policy["contentPolicy"]["filters"][0]["action"] == "BLOCKED"
    assert "trace" not in orjson.loads(sent(HI, "bedrock_converse"))


INVOKED = {
    "messages": [{"role": "user", "content": "hi"}],
    "max_tokens": 50,
    "anthropic_version": VERSION,
}


def test_an_invoked_stream_is_anthropics_in_chunks() -> None:
    data = sent({**INVOKED, "stream": True}, "bedrock_invoke")
    chunks = [
        json.loads(one["chunk"]["bytes"])
        for one in events(data, "ResponseStream")
        if "chunk" in one
    ]
    assert chunks[0]["type"] == "message_start"
    text = "".join(one["delta"]["text"] for one in chunks if one["type"] == "content_block_delta")
    assert text == "Hello there."
    assert chunks[-1]["type"] == "message_stop"
    metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
    assert metrics["outputTokenCount"] == chunks[-2]["usage"]["output_tokens"]


def test_bodies_that_are_invoked_name_the_version() -> None:
    body = {key: value for key, value in INVOKED.items() if key != "anthropic_version"}
    assert called("invoke").codec.decode(orjson.dumps(body)).model == CLAUDE
    with pytest.raises(BadRequest):
        called("invoke", strict=True).codec.decode(orjson.dumps(body))
    assert called("invoke", strict=True).codec.decode(orjson.dumps(INVOKED)).model == CLAUDE


@pytest.mark.parametrize(
    ("model", "fields", "width"),
    [
        ("amazon.titan-embed-text-v2:0", {}, 1024),
        ("amazon.titan-embed-text-v1", {}, 1536),
        ("amazon.titan-embed-text-v2:0", {"dimensions": 256, "embeddingTypes": ["float"]}, 256),
    ],
)
def test_titans_embeddings(model: str, fields: dict[str, Any], width: int) -> None:
    assert "Titan" in type(called("invoke", model).codec).__name__
    body = {"model": model, "inputText": "hi", **fields}
    answer = orjson.loads(llmsim.plan(body, dialect="bedrock_titan_embeddings").frames[0])
    assert len(answer["embedding"]) == width
    assert answer["inputTextTokenCount"] == 1
    assert ("embeddingsByType" in answer) is bool(fields)


@pytest.mark.parametrize(
    "asked",
    [
        {"converse": HI},
        {"invokeModel": {"body": b64encode(orjson.dumps(INVOKED)).decode()}},
    ],
    ids=["converse", "invoke"],
)
def test_counting_tokens(asked: dict[str, Any]) -> None:
    body = {"model": CLAUDE, "input": asked}
    counted = orjson.loads(llmsim.plan(body, dialect="bedrock_count").frames[0])
    whole = orjson.loads(sent(HI, "bedrock_converse"))
    assert counted == {"inputTokens": whole["usage"]["inputTokens"]}


@pytest.mark.parametrize("kind", FailureKind, ids=lambda kind: kind.value)
@pytest.mark.parametrize(
    ("operation", "stream"),
    [
        ("converse-stream", "ConverseStreamOutput"),
        ("invoke-with-response-stream", "ResponseStream"),
    ],
)
def test_every_failure_is_an_exception_of_the_service(
    kind: FailureKind, operation: str, stream: str
) -> None:
    codec: Any = called(operation).codec
    data = codec.error_event(None, None, Failure(kind, "", injected=True), STAMP, 3)
    (error,) = events(data, stream)
    name = error["Error"]["Code"]
    assert name in shape(stream).members
    assert error["Error"]["Message"]


def test_heads_name_the_exception_and_the_request() -> None:
    status, headers, body = BEDROCK.errors.refusal(BEDROCK.auth.refusal("AKID"), STAMP)
    head = dict(headers)
    assert status == 403
    assert head["x-amzn-errortype"] == "UnrecognizedClientException"
    assert head["x-amzn-requestid"] == "0115e901-2345-6789-abcd-ef0123456789"
    assert orjson.loads(body) == {
        "message": "The security token included in the request is invalid."
    }
    missing = dict(BEDROCK.errors.refusal(BEDROCK.auth.refusal(""), STAMP)[1])
    assert missing["x-amzn-errortype"] == "MissingAuthenticationTokenException"


def test_an_invoked_models_head_tells_what_was_used() -> None:
    config = {"latency": {"profile": "instant"}}
    plan = llmsim.plan({"model": CLAUDE, **INVOKED}, dialect="bedrock_invoke", config=config)
    head = dict(called("invoke").headers(plan, STAMP))
    used = orjson.loads(plan.frames[0])["usage"]
    assert head["x-amzn-bedrock-output-token-count"] == str(used["output_tokens"])
    assert "x-amzn-bedrock-invocation-latency" in head


@pytest.mark.parametrize(
    ("authorization", "key"),
    [
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20261201/us-east-1/bedrock/aws4_request, "
            "SignedHeaders=host, Signature=00",
            "AKID",
        ),
        ("Bearer t", "t"),
        ("Basic x", ""),
        (None, ""),
    ],
)
def test_keys(authorization: str | None, key: str) -> None:
    assert BEDROCK.auth.key(lambda name: authorization, "") == key


def test_chunks_are_base64() -> None:
    data = sent({**INVOKED, "stream": True}, "bedrock_invoke")
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    for message in buffer:
        assert b64decode(orjson.loads(message.payload)["bytes"]).startswith(b"{")


HUGE = b"1" + b"0" * 30
WORDS = b'"messages":[{"role":"user","content":[{"text":"hi"}]}]'


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("converse", b'{"messages":[{"role":"user","content":[{}]}]}'),
        ("converse", b'{%b,"inferenceConfig":{"maxTokens":%b}}' % (WORDS, HUGE)),
        ("converse", b'{%b,"additionalModelRequestFields":{"top_k":%b}}' % (WORDS, HUGE)),
        ("count-tokens", b'{"input":{"invokeModel":{"body":"%b"}}}' % b64encode(b"[]")),
        ("count-tokens", b'{"input":{"invokeModel":{"body":"%b"}}}' % b64encode(b"1")),
    ],
)
def test_what_cannot_be_put_in_anthropics_words_is_refused(operation: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        called(operation).codec.decode(body)
