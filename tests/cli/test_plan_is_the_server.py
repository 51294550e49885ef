"""`llmsim plan` gives the server's bytes: over a table of configurations and requests, for every
API, with the ids and the time that the server took."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import orjson
import pytest

from llmsim.config import Config, load
from llmsim.core import ConnectionEnd, Plan, Stamp
from llmsim.library.answers import planned
from llmsim.providers import registry
from llmsim.server.response_writer import AT_ONCE
from tests.cli.conftest import Run
from tests.effort import sample
from tests.server.in_process import Answer, InProcess
from tests.serving import Server

SMALL = "server: {journal_mb: 1}"
INSTANT = "latency: {profile: instant}"


@dataclass(frozen=True)
class Api:
    """Where and what one API is asked, and where for a stream if that is elsewhere."""

    path: str
    model: str
    question: Mapping[str, Any]
    streams: bool = False
    streaming_path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


TEXT = "What is the weather like?"
USER = [{"role": "user", "content": TEXT}]
PARTS = [{"role": "user", "parts": [{"text": TEXT}]}]
GEMINI = "/v1beta/models/gemini-2.5-flash:"
WHOLE_REQUEST = "generateContentRequest"
VERTEX = "/v1/projects/p/locations/l/publishers/"
KEYED = {"api-key": "k"}
ANTHROPIC_HEADERS = {"anthropic-version": "2023-06-01"}

APIS = {
    "openai_chat": Api("/v1/chat/completions", "gpt-4o", {"messages": USER}, True),
    "openai_responses": Api("/v1/responses", "gpt-4o", {"input": TEXT}, True),
    "openai_completions": Api("/v1/completions", "gpt-3.5-turbo-instruct", {"prompt": TEXT}, True),
    "openai_embeddings": Api("/v1/embeddings", "text-embedding-3-small", {"input": TEXT}),
    "openai_moderations": Api("/v1/moderations", "omni-moderation-latest", {"input": TEXT}),
    "azure_chat": Api("/openai/v1/chat/completions", "gpt-4o", {"messages": USER}, True, "", KEYED),
    "azure_responses": Api("/openai/v1/responses", "gpt-4o", {"input": TEXT}, True, "", KEYED),
    "azure_completions": Api(
        "/openai/v1/completions", "gpt-3.5-turbo-instruct", {"prompt": TEXT}, True, "", KEYED
    ),
    "azure_embeddings": Api(
        "/openai/v1/embeddings", "text-embedding-3-small", {"input": TEXT}, headers=KEYED
    ),
    "vertex_gemini": Api(
        f"{VERTEX}google/models/gemini-2.5-flash:generateContent",
        "gemini-2.5-flash",
        {"contents": PARTS},
        True,
        f"{VERTEX}google/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    ),
    "vertex_count": Api(
        f"{VERTEX}google/models/gemini-2.5-flash:countTokens",
        "gemini-2.5-flash",
        {WHOLE_REQUEST: {"contents": PARTS}},
    ),
    "vertex_embed_content": Api(
        f"{VERTEX}google/models/gemini-embedding-001:embedContent",
        "gemini-embedding-001",
        {"content": PARTS[0]},
    ),
    "vertex_embeddings": Api(
        f"{VERTEX}google/models/gemini-embedding-001:predict",
        "gemini-embedding-001",
        {"instances": [{"content": TEXT}]},
    ),
    "vertex_claude": Api(
        f"{VERTEX}anthropic/models/claude-sonnet-4-5:rawPredict",
        "claude-sonnet-4-5",
        {"messages": USER, "max_tokens": 60, "anthropic_version": "vertex-2023-10-16"},
        True,
        f"{VERTEX}anthropic/models/claude-sonnet-4-5:streamRawPredict",
    ),
    "vertex_claude_count": Api(
        f"{VERTEX}anthropic/models/count-tokens:rawPredict",
        "claude-sonnet-4-5",
        {"messages": USER},
    ),
    "bedrock_converse": Api(
        "/model/anthropic.claude-sonnet-4-5/converse",
        "anthropic.claude-sonnet-4-5",
        {"messages": [{"role": "user", "content": [{"text": TEXT}]}]},
        True,
        "/model/anthropic.claude-sonnet-4-5/converse-stream",
    ),
    "bedrock_invoke": Api(
        "/model/anthropic.claude-sonnet-4-5/invoke",
        "anthropic.claude-sonnet-4-5",
        {"messages": USER, "max_tokens": 60, "anthropic_version": "bedrock-2023-05-31"},
        True,
        "/model/anthropic.claude-sonnet-4-5/invoke-with-response-stream",
    ),
    "bedrock_titan_embeddings": Api(
        "/model/amazon.titan-embed-text-v2/invoke",
        "amazon.titan-embed-text-v2",
        {"inputText": TEXT},
    ),
    "bedrock_count": Api(
        "/model/anthropic.claude-sonnet-4-5/count-tokens",
        "anthropic.claude-sonnet-4-5",
        {"input": {"converse": {"messages": [{"role": "user", "content": [{"text": TEXT}]}]}}},
    ),
    "anthropic": Api(
        "/v1/messages",
        "claude-sonnet-4-5",
        {"messages": USER, "max_tokens": 60},
        True,
        headers=ANTHROPIC_HEADERS,
    ),
    "anthropic_count": Api(
        "/v1/messages/count_tokens",
        "claude-sonnet-4-5",
        {"messages": USER},
        headers=ANTHROPIC_HEADERS,
    ),
    "gemini": Api(
        f"{GEMINI}generateContent",
        "gemini-2.5-flash",
        {"contents": PARTS},
        True,
        f"{GEMINI}streamGenerateContent?alt=sse",
    ),
    "gemini_count": Api(
        f"{GEMINI}countTokens", "gemini-2.5-flash", {WHOLE_REQUEST: {"contents": PARTS}}
    ),
    "gemini_embeddings": Api(f"{GEMINI}embedContent", "gemini-2.5-flash", {"content": PARTS[0]}),
}


def test_every_api_but_batches_is_in_the_table() -> None:
    assert set(registry.by_codec()) - set(APIS) == {"anthropic_batch"}


CONFIGURATIONS = {
    "nothing": "",
    "seed": "seed: 7",
    "length": "response: {target_tokens: 3}",
    "lengths": "response: {target_tokens: {p50: 4, p95: 20}}",
    "work": "response: {target_tokens: 3}\nmocks: [{response: {latency: {accept_ms: 1, "
    "ttft_overhead_ms: {p50: 2, p95: 6}, prefill_ms_per_token: 0.05, "
    "itl_ms: {distribution: gamma, mean: 1, stddev: 1}, reasoning_ms_per_token: 0}}}]",
    "starving": "thinking: {may_starve: true}",
    "echo": "response: {generator: echo}",
    "sequence": "response: {generator: sequence, sequence: [one, two]}",
    "refusals": "response: {refusal_rate: 1.0}",
    "mock": 'mocks: [{match: {content_contains: weather}, response: {content: "It is sunny."}}]',
    "mocks in turn": "mocks: [{responses: [first, second]}]",
    "template": "mocks: [{response: '{{ model }} {{ turn }} {{ count }} {{ last_user_message }}'}]",
    "mocked tool call": "mocks: [{response: {tool_calls: [{name: look, arguments: {at: Rome}}]}}]",
    "mocked thoughts": "mocks: [{response: {reasoning: Let me see., content: Fine.}}]",
    "mocked usage": "mocks: [{response: {usage: {prompt_tokens: 5, cached_tokens: 2}}}]",
    "mocked latency": "response: {target_tokens: 3}\nmocks: [{response: {latency: "
    "{ttft_mean_ms: 4, ttft_stddev_ms: 2, tbt_mean_ms: 1, tbt_stddev_ms: 0}}}]",
    "mocked failure": "mocks: [{response: {error: {kind: overloaded, retry_after_ms: 500}}}]",
    "mock by chance": "seed: 3\nmocks: [{probability: 0.5, response: By chance.}]",
    "script": "scripts: [{turns: [{content: Turn one.}, two]}]",
    "a used-up limit": "rate_limits: [{tokens_per_minute: 1, requests_per_day: 5}]",
    "an ample limit": "rate_limits: [{tokens_per_minute: 1000000}]",
    "queue": "concurrency: {max_concurrency: 1}",
    "failing first": "errors: {rules: [{first: 1, kind: rate_limit, retry_after_ms: 1500}]}",
    "failing by status": "errors: {rules: [{status: 418}]}",
    "failing by rate": "seed: 1\nerrors: {server_error_rate: 1.0}",
    "failing every second": "errors: {rules: [{every: 2, kind: overloaded}]}",
    "timetable": "timetable: [{kind: unavailable}]",
    "malformed": "errors: {rules: [{fault: {malformed: {}}}]}",
    "unterminated": "errors: {rules: [{fault: {unterminated: {}}}]}",
    "error event": "errors: {rules: [{fault: {error_event: {}}}]}",
    "cut": "errors: {rules: [{fault: {cut: {after_fraction: 0.5}}}]}",
    "mock and fault": "mocks: [{response: Sunny all day.}]\n"
    "errors: {rules: [{fault: {error_event: {after_fraction: 0.3}}}]}",
    "mock, failure and limit": "mocks: [{response: Sunny.}]\nrate_limits: [{requests_per_day: 1}]\n"
    "errors: {rules: [{every: 1, kind: bad_gateway}]}",
    "strict": "validation: strict",
    "unknown models refused": "models: {unknown: reject}",
    "names in headers switched off": "control: {headers: false}",
}

REQUESTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "seed": ({}, {"x-llmsim-seed": "9"}),
    "failure": ({}, {"x-llmsim-error": "429; retry_after_ms=300"}),
    "fault": ({}, {"x-llmsim-fault": "unterminated"}),
    "length": ({}, {"x-llmsim-target-tokens": "4"}),
    "generator": ({}, {"x-llmsim-generator": "fixed:Exactly this."}),
    "mistaken header": ({}, {"x-llmsim-colour": "red"}),
    "suffix": ({"model": "@llmsim:seed=9;target-tokens=5"}, {}),
    "failing suffix": ({"model": "@llmsim:error=503"}, {}),
    "mistaken suffix": ({"model": "@llmsim:seed=x"}, {}),
    "unknown model": ({"model": "no-such-model"}, {}),
    "wrong type": ({"messages": 3, "input": 3, "prompt": {}, "contents": 3, "content": 3}, {}),
}
"""Fields of the body and headers. A model that begins with @ is put after the API's own."""


def body_of(api: Api, fields: Mapping[str, Any]) -> bytes:
    document = {"model": api.model, **api.question}
    request = document
    if WHOLE_REQUEST in document:
        request = document[WHOLE_REQUEST] = {
            "model": document.pop("model"),
            **document[WHOLE_REQUEST],
        }
    for name, value in fields.items():
        if name == "model":
            request["model"] = api.model + value if value.startswith("@") else value
        elif name in request or name == "stream":
            request[name] = value
    return orjson.dumps(document)


def _without_stream(body: bytes) -> bytes:
    """The body as it is where the path says whether to stream: the API has no such field."""
    document = orjson.loads(body)
    document.pop("stream", None)
    return orjson.dumps(document)


def path_of(api: Api, fields: Mapping[str, Any]) -> str:
    """Gemini has the model and whether to stream in the path, the others in the body alone."""
    path = api.streaming_path if "stream" in fields and api.streaming_path else api.path
    model = fields.get("model", "")
    return path.replace(
        api.model, quote(api.model + model if model.startswith("@") else model or api.model)
    )


async def answered(
    config: Config, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[Answer, Stamp]:
    with InProcess(config) as server:
        return await server.post(path, body, headers), server.stamp()


def compared(
    config: Config, codec: str, fields: Mapping[str, Any], headers: Mapping[str, str]
) -> None:
    """Ask a server and plan, in whole and, where there is one, as a stream."""
    api = APIS[codec]
    endpoint = registry.by_codec(config.validation == "strict")[codec]
    headers = {**api.headers, **headers}
    for form in ({}, {"stream": True}) if api.streams else ({},):
        body, path = body_of(api, {**fields, **form}), path_of(api, {**fields, **form})
        sent = _without_stream(body) if api.streaming_path else body
        answer, stamp = asyncio.run(answered(config, path, sent, headers))
        seed = answer.head.get("x-llmsim-seed")
        plan = planned(body, endpoint, config, stamp, int(seed) if seed else None, headers=headers)
        assert plan.status == answer.status, answer.body
        assert whole(plan) == answer.body
        assert (plan.ending is not ConnectionEnd.WHOLE) == answer.broken_off
        if plan.completion is not None:
            timing = f"ttft;dur={plan.ttft * 1e3:.3f}, total;dur={plan.total * 1e3:.3f}"
            assert answer.head["server-timing"] == (timing if plan.total else AT_ONCE[1])


def whole(plan: Plan) -> bytes:
    return b"".join(plan.frames[place] for place in range(len(plan.frames)))


def configured(folder: Path, text: str) -> Config:
    path = folder / "llmsim.yaml"
    path.write_text("\n".join((SMALL, INSTANT, text)), encoding="utf-8")
    return load(str(path), {}, {})


def every(names: Iterable[str]) -> Sequence[tuple[str, str]]:
    """Each name with each API; in the small profile each with some, and all APIs in turn."""
    apis = list(APIS)
    turned = [apis[place:] + apis[:place] for place in range(len(apis))]
    return sample([(name, api) for name, turn in zip(names, cycle(turned)) for api in turn])


@pytest.mark.parametrize(("name", "codec"), every(CONFIGURATIONS))
def test_under_every_configuration(tmp_path: Path, name: str, codec: str) -> None:
    compared(configured(tmp_path, CONFIGURATIONS[name]), codec, {}, {})


OTHER_API = {("unknown model", "bedrock_titan_embeddings")}  # the model's name says which it is


@pytest.mark.parametrize(
    ("name", "codec"), [one for one in every(REQUESTS) if one not in OTHER_API]
)
def test_for_every_request(tmp_path: Path, name: str, codec: str) -> None:
    fields, headers = REQUESTS[name]
    compared(configured(tmp_path, ""), codec, fields, headers)


WEATHER = CONFIGURATIONS["mock"]
YES = [*USER, {"role": "assistant", "content": "yes "}]
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
STREAMED = "mocks: [{match: {endpoint: '*:streamGenerateContent'}, response: Streamed.}]"
LONG = [{"role": "user", "content": "word " * 2000}]


@pytest.mark.parametrize(
    ("codec", "text", "fields"),
    [
        ("openai_chat", WEATHER, {}),
        ("openai_chat", "", {"model": "@llmsim:seed=9"}),
        ("anthropic", "validation: strict", {"messages": YES}),
        ("anthropic", "", {"messages": YES}),
        ("anthropic", WEATHER, {"model": "@llmsim:error=529"}),
        ("gemini", WEATHER, {"model": "@llmsim:seed=3"}),
        ("gemini", STREAMED, {}),
        ("openai_responses", WEATHER, {"model": "@llmsim:itl-factor=2"}),
        ("openai_chat", "", {"n": 3}),
        ("openai_chat", "", {"logprobs": True, "top_logprobs": 2}),
        ("openai_chat", "", {"tools": [LOOK], "tool_choice": "required"}),
        ("openai_chat", "", {"response_format": FORMAT}),
        ("openai_chat", "", {"messages": LONG}),
        ("openai_chat", "", {"max_completion_tokens": 2}),
        ("openai_chat", "", {"stream_options": {"include_usage": True}}),
        ("openai_responses", "", {"store": False}),
        ("openai_responses", "", {"reasoning": {"effort": "high"}, "model": "o3"}),
    ],
)
def test_in_particular(tmp_path: Path, codec: str, text: str, fields: dict[str, Any]) -> None:
    compared(configured(tmp_path, text), codec, fields, {})


def test_the_second_text_of_a_sequence_is_that_of_turn_1(tmp_path: Path) -> None:
    config = configured(tmp_path, CONFIGURATIONS["sequence"])
    api = APIS["openai_chat"]
    body = body_of(api, {})

    async def second() -> tuple[Answer, Stamp]:
        with InProcess(config) as server:
            await server.post(api.path, body, {})
            return await server.post(api.path, body, {}), server.stamp()

    answer, stamp = asyncio.run(second())
    seed = int(answer.head["x-llmsim-seed"])
    plan = planned(body, registry.by_codec()["openai_chat"], config, stamp, seed, turn=1)
    assert whole(plan) == answer.body
    assert b'"two"' in answer.body


WORKERS = f"""
server: {{workers: 2, journal_mb: 1}}
{INSTANT}
{WEATHER}
errors: {{rules: [{{model: gpt-4o-mini, every: 1, kind: overloaded}}]}}
rate_limits: [{{model: claude-sonnet-4-5, tokens_per_minute: 5}}]
"""


def test_two_workers_answer_what_the_command_prints(
    run: Run, serve: Callable[..., Server], tmp_path: Path
) -> None:
    file = tmp_path / "llmsim.yaml"
    file.write_text(WORKERS, encoding="utf-8")
    rows: list[tuple[str, dict[str, Any], int]] = [
        ("openai_chat", {}, 200),
        ("openai_chat", {"stream": True, "messages": LONG}, 200),
        ("openai_chat", {"model": "@llmsim:seed=9"}, 200),
        ("openai_chat", {"model": "gpt-4o-mini"}, 503),
        ("openai_responses", {"stream": True}, 200),
        ("anthropic", {"stream": True}, 429),
        ("anthropic", {"model": "claude-haiku-4-5", "stream": True}, 200),
        ("gemini", {"stream": True}, 200),
        ("gemini_embeddings", {}, 200),
    ]
    with serve("--config", str(file)) as sim:
        for codec, fields, status in rows:
            api = APIS[codec]
            body = body_of(api, fields)
            connection = HTTPConnection("127.0.0.1", sim.port, timeout=10)
            connection.request("POST", path_of(api, fields), body, dict(api.headers))
            response = connection.getresponse()
            answer, head = response.read(), response.headers
            connection.close()
            assert response.status == status
            newest = urlopen(f"{sim.url}/llmsim/requests?limit=1").read()
            (entry,) = orjson.loads(newest)["requests"]
            seed = ["--seed", head["x-llmsim-seed"]] if "x-llmsim-seed" in head else []
            ids = ["--id", entry["id"], "--created", str(int(entry["arrived"]))]
            plan = run(
                *("plan", "--json", "--config", str(file), "--dialect", codec),
                *seed,
                *ids,
                input=body,
            )
            assert plan.exit_code == (status != 200)
            frames = orjson.loads(plan.stdout)["frames"]
            assert "".join(frame["frame"] for frame in frames).encode() == answer
