"""Every answer and every event of every stream against the SDKs' own types.

A required field that is missing, a value of another type and a field that is not declared are
faults. The types come from the installed packages; the server is in this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

import anthropic.types as claude
import openai.types as oa
import orjson
import pytest
from google.genai import types as genai
from openai.types import beta, chat, conversations, responses
from openai.types.beta import threads
from openai.types.beta.assistant_stream_event import AssistantStreamEvent
from openai.types.beta.threads.runs import RunStep
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from llmsim.config import Config
from llmsim.core.latency import Latency, LatencyRule
from tests.server.in_process import Answer, InProcess

USER = {"role": "user", "content": "What is the weather in Paris?"}
TURN = {"role": "user", "parts": [{"text": "What is the weather in Paris?"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "weather", "description": "The weather.", "parameters": SCHEMA}
SOUND = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}}
DOCUMENT = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "Grass is green. Sky is blue."},
    "citations": {"enabled": True},
}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}
BATCH = {
    "requests": [
        {
            "custom_id": "one",
            "params": {"model": "claude-sonnet-4-5", "max_tokens": 5, "messages": [USER]},
        }
    ]
}


class Case(NamedTuple):
    """One request; ``streams`` is the type of a stream's events, None where there is none."""

    id: str
    path: str
    fields: dict[str, Any]
    answers: Any
    streams: Any = None


def chats() -> Iterator[Case]:
    tool = {"type": "function", "function": FUNCTION}
    custom = {"type": "custom", "custom": {"name": "shell"}}
    usage = {"stream_options": {"include_usage": True}}
    kinds: dict[str, dict[str, Any]] = {
        "text": usage,
        "cut": {"max_completion_tokens": 3},
        "alternatives": {"n": 2, **usage},
        "logprobs": {"logprobs": True, "top_logprobs": 2},
        "function": {"tools": [tool], "tool_choice": "required", **usage},
        "functions": {"tools": [tool, tool | {"function": FUNCTION | {"name": "time"}}]},
        "custom": {"tools": [custom], "tool_choice": "required"},
        "legacy": {"functions": [FUNCTION]},
        "schema": {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": SCHEMA},
            }
        },
        "reasoning": {"model": "gpt-5", "reasoning_effort": "high", **usage},
        "audio": {"model": "gpt-audio", **SOUND, **usage},
        "search": {"model": "gpt-4o-search-preview", "web_search_options": {}},
        "flex": {"service_tier": "flex"},
    }
    for name, fields in kinds.items():
        body = {"model": "gpt-4o", "messages": [USER], **fields}
        path = "/v1/chat/completions"
        yield Case(f"chat-{name}", path, body, chat.ChatCompletion, chat.ChatCompletionChunk)


def completions() -> Iterator[Case]:
    for name, fields in {
        "text": {},
        "echo": {"echo": True, "n": 2},
        "logprobs": {"logprobs": 2},
    }.items():
        body = {"model": "gpt-3.5-turbo-instruct", "prompt": "One", **fields}
        yield Case(f"completions-{name}", "/v1/completions", body, oa.Completion, oa.Completion)


def responded() -> Iterator[Case]:
    function = {"type": "function", "strict": False, **FUNCTION}
    kinds: dict[str, dict[str, Any]] = {
        "text": {},
        "cut": {"max_output_tokens": 16},
        "logprobs": {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
        "function": {"tools": [function], "tool_choice": "required"},
        "custom": {"tools": [{"type": "custom", "name": "shell"}], "tool_choice": "required"},
        "reasoning": {
            "model": "gpt-5",
            "reasoning": {"effort": "high", "summary": "detailed"},
            "include": ["reasoning.encrypted_content"],
        },
        "schema": {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}},
        "search": {"tools": [{"type": "web_search"}], "tool_choice": "required"},
        "file search": {
            "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}],
            "tool_choice": "required",
        },
        "code": {
            "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}],
            "tool_choice": "required",
        },
        "image": {
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "Hi"},
                        {"type": "input_image", "image_url": "https://example.com/a.png"},
                    ],
                }
            ]
        },
    }
    for name, fields in kinds.items():
        body = {"model": "gpt-4o", "input": "What is the weather in Paris?", **fields}
        yield Case(
            f"responses-{name}",
            "/v1/responses",
            body,
            responses.Response,
            responses.ResponseStreamEvent,
        )
    counted = {"model": "gpt-4o", "input": "Hi"}
    yield Case(
        "responses-count",
        "/v1/responses/input_tokens",
        counted,
        responses.InputTokenCountResponse,
    )


def small() -> Iterator[Case]:
    embedding = {"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 4}
    yield Case("embeddings", "/v1/embeddings", embedding, oa.CreateEmbeddingResponse)
    moderated = {"input": ["I will kill you", "hi"]}
    yield Case("moderations", "/v1/moderations", moderated, oa.ModerationCreateResponse)
    picture = {"model": "gpt-image-1", "prompt": "a cat", "size": "1024x1024", "quality": "low"}
    yield Case(
        "images",
        "/v1/images/generations",
        picture | {"partial_images": 1},
        oa.ImagesResponse,
        oa.ImageGenStreamEvent,
    )


def objects() -> Iterator[Case]:
    yield Case("conversations", "/v1/conversations", {}, conversations.Conversation)
    assistant = {"model": "gpt-4o", "tools": [{"type": "function", "function": FUNCTION}]}
    yield Case("assistants", "/v1/assistants", assistant, beta.Assistant)
    thread = {"messages": [{"role": "user", "content": "hi"}]}
    yield Case("threads", "/v1/threads", thread, beta.Thread)


def messages() -> Iterator[Case]:
    tool = {"name": "weather", "input_schema": SCHEMA}
    asked = {"role": "user", "content": [DOCUMENT, {"type": "text", "text": "What is green?"}]}
    kinds: dict[str, dict[str, Any]] = {
        "text": {},
        "cut": {"max_tokens": 3},
        "stop": {"stop_sequences": ["the"]},
        "thinking": THINKING,
        "tool": {"tools": [tool], "tool_choice": {"type": "any"}},
        "thinking and tool": {"tools": [tool], **THINKING},
        "cached": {"cache_control": {"type": "ephemeral"}},
        "citations": {"messages": [asked]},
        "search": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    }
    for name, fields in kinds.items():
        body = {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": [USER], **fields}
        yield Case(
            f"messages-{name}", "/v1/messages", body, claude.Message, claude.RawMessageStreamEvent
        )
    body = {"model": "claude-sonnet-4-5", "messages": [USER]}
    yield Case("messages-count", "/v1/messages/count_tokens", body, claude.MessageTokensCount)
    yield Case("messages-batch", "/v1/messages/batches", BATCH, claude.messages.MessageBatch)


def generated() -> Iterator[Case]:
    declared = {"tools": [{"functionDeclarations": [FUNCTION]}]}
    shown = {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 512}}
    kinds: dict[str, dict[str, Any]] = {
        "text": {},
        "cut": {"generationConfig": {"maxOutputTokens": 3}},
        "candidates": {"generationConfig": {"candidateCount": 2}},
        "logprobs": {"generationConfig": {"responseLogprobs": True, "logprobs": 2}},
        "thoughts": {"generationConfig": shown},
        "call": {**declared, "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
        "schema": {
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": SCHEMA,
            }
        },
        "sound": {"generationConfig": {"responseModalities": ["AUDIO"]}},
        "picture": {"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}},
        "search": {"tools": [{"googleSearch": {}}]},
        "code": {"tools": [{"codeExecution": {}}]},
    }
    under = "/v1beta/models/gemini-2.5-flash:"
    answer = genai.GenerateContentResponse
    for name, fields in kinds.items():
        body = {"contents": [TURN], **fields}
        yield Case(f"gemini-{name}", under + "generateContent", body, answer, answer)
    counted = {"contents": [TURN]}
    yield Case("gemini-count", under + "countTokens", counted, genai.CountTokensResponse)
    embedded = {"requests": [{"model": "models/gemini-embedding-001", "content": TURN}]}
    path = "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    yield Case("gemini-embeddings", path, embedded, genai.EmbedContentResponse)


CASES = [
    *chats(),
    *completions(),
    *responded(),
    *small(),
    *objects(),
    *messages(),
    *generated(),
]
PADDING = "obfuscation"
"""On all delta events unless ``stream_options.include_obfuscation`` is false; no type has it."""
SEEN = {
    "store of Response": "a response says whether it is kept, in the reference's examples",
    "annotations of ChoiceDelta": "the citations of a model that searches",
    "expires_at of RunStep": "in the reference's streamed examples, beside expired_at",
}
"""Fields that the live services send and the SDK's types do not have."""
LOOSE = {
    "chat-custom": "a custom tool's delta is of type custom, and the type knows functions alone",
    "gemini-count": "promptTokensDetails is the API's, and the SDK gives it to nobody",
    **dict.fromkeys(
        ("completions-text", "completions-echo", "completions-logprobs"),
        "chunks have a finish reason of null until the last",
    ),
}
"""Cases in which the type is known to refuse what the service sends, and only that."""
REFUSED = (
    "'type'): Input",
    "'promptTokensDetails',)",
    "'finish_reason'): Input",
    "custom of Choice",
)


def headers(path: str) -> dict[str, str]:
    made = {"content-type": "application/json", "openai-beta": "assistants=v2"}
    return made | {"anthropic-version": "2023-06-01"} if "/messages" in path else made


def ask(path: str, body: dict[str, Any] | None, method: str = "POST") -> Answer:
    async def asked() -> Answer:
        with InProcess(Config(latency=Latency(LatencyRule("instant")))) as server:
            sent = b"" if body is None else orjson.dumps(body)
            return await server.ask(method, path, sent, headers(path))

    return asyncio.run(asked())


@cache
def reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def faults(kind: Any, data: bytes) -> list[str]:
    """What is wrong with a value of that type."""
    try:
        value = reader(kind).validate_json(data)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        return [f"{one['loc']}: {one['msg']}" for one in wrong[:5]]
    return list(undeclared(value, ""))


def undeclared(value: Any, where: str) -> Iterator[str]:
    """The fields of a value, at any depth, that its type does not have."""
    match value:
        case BaseModel():
            for name in value.model_extra or ():
                if name != PADDING and f"{name} of {type(value).__name__}" not in SEEN:
                    yield f"{where}.{name} of {type(value).__name__} is not declared"
            for name in type(value).model_fields:
                yield from undeclared(getattr(value, name), f"{where}.{name}")
        case list():
            for index, one in enumerate(value):
                yield from undeclared(one, f"{where}[{index}]")
        case dict():
            for name, one in value.items():
                yield from undeclared(one, f"{where}.{name}")


def events(answer: Answer) -> list[bytes]:
    """The data of a stream's events."""
    lines = answer.body.replace(b"\r\n", b"\n").split(b"\n")
    data = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")]
    return [one for one in data if one not in (b"[DONE]", b'{"type":"ping"}', b'{"type": "ping"}')]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_plain_answer_is_of_its_type(case: Case) -> None:
    answer = ask(case.path, case.fields | _without_stream_options(case.fields))
    assert answer.status == 200, answer.body
    assert but_known(case, faults(case.answers, answer.body)) == []


def but_known(case: Case, found: list[str]) -> list[str]:
    """The faults that are not those of the type itself."""
    if case.id not in LOOSE:
        return found
    return [fault for fault in found if not any(one in fault for one in REFUSED)]


def _without_stream_options(fields: dict[str, Any]) -> dict[str, Any]:
    return {"stream_options": None} if "stream_options" in fields else {}


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.streams is not None], ids=lambda case: case.id
)
def test_every_event_of_a_stream_is_of_its_type(case: Case) -> None:
    if "generateContent" in case.path:
        path = case.path.replace("generateContent", "streamGenerateContent") + "?alt=sse"
        answer = ask(path, case.fields)
    else:
        answer = ask(case.path, case.fields | {"stream": True})
    assert answer.status == 200, answer.body
    found = events(answer)
    assert found
    wrong = {fault: None for event in found for fault in faults(case.streams, event)}
    assert but_known(case, list(wrong)) == []


LISTS = [
    ("/v1/models", oa.Model, {}),
    ("/v1/models", claude.ModelInfo, {"anthropic-version": "2023-06-01"}),
    ("/v1beta/models", genai.Model, {}),
]


@pytest.mark.parametrize(("path", "kind", "head"), LISTS, ids=["openai", "anthropic", "gemini"])
def test_every_model_that_is_listed_is_of_its_type(
    path: str, kind: Any, head: dict[str, str]
) -> None:
    async def asked() -> Answer:
        with InProcess(Config()) as server:
            return await server.ask("GET", path, b"", head)

    listed = orjson.loads(asyncio.run(asked()).body)
    models = listed.get("data") or listed["models"]
    assert len(models) > 10
    for model in models:
        model.pop("supportedGenerationMethods", None)  # the SDK has it under a name of its own
    wrong = {fault: None for model in models for fault in faults(kind, orjson.dumps(model))}
    assert list(wrong) == []


def test_objects_of_a_thread_are_of_their_types() -> None:
    async def asked() -> list[tuple[Any, Answer]]:
        with InProcess(Config(latency=Latency(LatencyRule("instant")))) as server:

            async def call(path: str, body: dict[str, Any], method: str = "POST") -> Answer:
                return await server.ask(method, path, orjson.dumps(body), headers(""))

            assistant = orjson.loads((await call("/v1/assistants", {"model": "gpt-4o"})).body)
            thread = orjson.loads((await call("/v1/threads", {})).body)
            under = f"/v1/threads/{thread['id']}"
            message = await call(f"{under}/messages", {"role": "user", "content": "hi"})
            run = await call(f"{under}/runs", {"assistant_id": assistant["id"]})
            listed = await call(f"{under}/messages", {}, "GET")
            first = Answer(200, {}, orjson.dumps(orjson.loads(listed.body)["data"][0]), False)
            return [(threads.Message, message), (threads.Run, run), (threads.Message, first)]

    for kind, answer in asyncio.run(asked()):
        assert answer.status == 200, answer.body
        assert faults(kind, answer.body) == []


class Page(BaseModel):
    """A page of OpenAI's, as the reference has it; the SDK's page classes know only a part."""

    model_config = ConfigDict(extra="forbid", strict=True)

    object: Literal["list"]
    data: list[Any]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ClaudePage(BaseModel):
    """A page of Anthropic's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    data: list[Any]
    first_id: str | None
    last_id: str | None
    has_more: bool


class Caller(NamedTuple):
    """Asks one server, and insists on an answer of 200."""

    server: InProcess

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        return orjson.loads((await self.answer("POST", path, orjson.dumps(body))).body)

    async def get(self, path: str) -> bytes:
        return (await self.answer("GET", path, b"")).body

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        answer = await self.server.ask(method, path, body, headers(path))
        assert answer.status == 200, answer.body
        return answer


def asking(scene: Callable[[Caller], Awaitable[None]]) -> None:
    async def run() -> None:
        with InProcess(Config(latency=Latency(LatencyRule("instant")))) as server:
            await scene(Caller(server))

    asyncio.run(run())


def test_items_that_are_stored_are_of_their_types() -> None:
    async def scene(call: Caller) -> None:
        conversation = await call.post("/v1/conversations", {"items": [USER]})
        function = {"type": "function", "strict": False, **FUNCTION}
        body = {
            "model": "gpt-5",
            "input": "Hi",
            "conversation": conversation["id"],
            "tools": [function],
            "tool_choice": "required",
        }
        response = await call.post("/v1/responses", body)
        body |= {"tools": [], "tool_choice": "auto", "input": [output_of(response)]}
        await call.post("/v1/responses", body)
        under = f"/v1/conversations/{conversation['id']}/items"
        listed = await call.get(under)
        assert faults(conversations.ConversationItemList, listed) == []
        items = orjson.loads(listed)["data"]
        kinds = {item["type"] for item in items}
        assert kinds == {"message", "reasoning", "function_call", "function_call_output"}
        for item in items:
            one = await call.get(f"{under}/{item['id']}")
            assert faults(conversations.ConversationItem, one) == []
        listed = await call.get(f"/v1/responses/{response['id']}/input_items")
        assert faults(responses.ResponseItemList, listed) == []

    asking(scene)


def output_of(response: dict[str, Any]) -> dict[str, Any]:
    """What the client says to the call in a response."""
    (call,) = (one for one in response["output"] if one["type"] == "function_call")
    return {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}


@pytest.mark.parametrize(
    "tools",
    [[], [{"type": "code_interpreter"}, {"type": "file_search"}], ["function"]],
    ids=["message", "hosted", "function"],
)
def test_a_streamed_run_and_its_steps_are_of_their_types(tools: list[Any]) -> None:
    used = [
        {"type": "function", "function": FUNCTION} if one == "function" else one for one in tools
    ]

    async def scene(call: Caller) -> None:
        assistant = await call.post("/v1/assistants", {"model": "gpt-4o", "tools": used})
        thread = await call.post("/v1/threads", {"messages": [USER]})
        under = f"/v1/threads/{thread['id']}/runs"
        body = orjson.dumps({"assistant_id": assistant["id"], "stream": True})
        streamed = (await call.answer("POST", under, body)).body
        frames = [frame.split(b"\ndata: ", 1) for frame in streamed.strip().split(b"\n\n")]
        assert frames.pop() == [b"event: done", b"[DONE]"]
        for name, data in frames:
            event = {"event": name.removeprefix(b"event: ").decode(), "data": orjson.Fragment(data)}
            assert faults(AssistantStreamEvent, orjson.dumps(event)) == []
        (run,) = orjson.loads(await call.get(under))["data"]
        steps = orjson.loads(await call.get(f"{under}/{run['id']}/steps"))["data"]
        assert steps
        for step in steps:
            assert faults(RunStep, orjson.dumps(step)) == []

    asking(scene)


def test_pages_are_whole() -> None:
    async def scene(call: Caller) -> None:
        chatted = {"model": "gpt-4o", "messages": [USER], "store": True}
        completion = await call.post("/v1/chat/completions", chatted)
        response = await call.post("/v1/responses", {"model": "gpt-4o", "input": "Hi"})
        conversation = await call.post("/v1/conversations", {"items": [USER]})
        assistant = await call.post("/v1/assistants", {"model": "gpt-4o"})
        thread = await call.post("/v1/threads", {"messages": [USER]})
        runs = f"/v1/threads/{thread['id']}/runs"
        run = await call.post(runs, {"assistant_id": assistant["id"]})
        await call.post("/v1/messages/batches", BATCH)
        for path, kind in {
            "/v1/chat/completions": Page,
            f"/v1/chat/completions/{completion['id']}/messages": Page,
            f"/v1/responses/{response['id']}/input_items": Page,
            f"/v1/conversations/{conversation['id']}/items": Page,
            "/v1/assistants": Page,
            f"/v1/threads/{thread['id']}/messages": Page,
            runs: Page,
            f"{runs}/{run['id']}/steps": Page,
            "/v1/messages/batches": ClaudePage,
        }.items():
            listed = await call.get(path)
            assert faults(kind, listed) == [], path
            page = orjson.loads(listed)
            assert page["data"], path
            ends = (page["data"][0]["id"], page["data"][-1]["id"])
            assert (page["first_id"], page["last_id"]) == ends

    asking(scene)


def test_a_fault_is_seen() -> None:
    answer = orjson.loads(ask("/v1/chat/completions", CASES[0].fields).body)
    assert faults(chat.ChatCompletion, orjson.dumps(answer | {"mood": "good"})) != []
    del answer["created"]
    assert faults(chat.ChatCompletion, orjson.dumps(answer)) != []
