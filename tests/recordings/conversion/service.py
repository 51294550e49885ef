"""llmsim itself as the service that is recorded, in all dialects."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson

from llmsim.core import Plan
from llmsim.core.mocks.replay import ReplaySettings
from llmsim.pipeline.context import Call, RequestContext
from llmsim.pipeline.steps.replay import asked_of
from llmsim.providers import registry
from llmsim.recordings.answers import usage
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
)
from llmsim.recordings.replay import Answers
from tests.pipeline.simulated import STAMP, Client, Simulated

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CONFIG = "latency: {ttft_ms: 100, itl_ms: 10}\nresponse: {target_tokens: 12}\n"
SAID = [{"role": "user", "content": "Hello, how are you?"}]
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_completions": "/v1/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-2.5-flash:generateContent",
}
CHAT: dict[str, Any] = {
    "model": "gpt-4o", "messages": SAID, "stream_options": {"include_usage": True},
}  # fmt: skip
CLAUDE: dict[str, Any] = {"model": "claude-sonnet-4-5", "max_tokens": 4000, "messages": SAID}
ANSWERS: list[tuple[str, str, dict[str, Any]]] = [
    ("openai_chat", "", CHAT),
    (
        "openai_chat",
        "",
        CHAT | {"tools": [{"type": "function", "function": {"name": "look", "parameters": TOOL}}]},
    ),
    ("openai_chat", "", CHAT | {"n": 3}),
    ("openai_chat", "mocks: [{response: {refusal: I must not.}}]", CHAT),
    ("openai_chat", "", CHAT | {"max_tokens": 5}),
    (
        "openai_completions",
        "",
        {"model": "gpt-3.5-turbo-instruct", "prompt": "Once",
         "stream_options": {"include_usage": True}},
    ),
    ("openai_responses", "", {"model": "gpt-4o", "input": "Hello"}),
    ("openai_responses", "", {"model": "gpt-5", "input": "Hello"}),
    (
        "openai_responses",
        "",
        {"model": "gpt-4o", "input": "Hello", "tools": [
            {"type": "function", "name": "look", "parameters": TOOL, "strict": True}]},
    ),
    ("openai_responses", "", {"model": "gpt-4o", "input": "Hello", "max_output_tokens": 16}),
    ("openai_responses", "mocks: [{response: {refusal: I must not.}}]",
     {"model": "gpt-4o", "input": "Hello"}),
    ("anthropic", "", CLAUDE),
    ("anthropic", "", CLAUDE | {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ("anthropic", "", CLAUDE | {"tools": [{"name": "look", "input_schema": TOOL}]}),
    ("anthropic", "", CLAUDE | {"stop_sequences": [" a"], "max_tokens": 100}),
    ("anthropic", "mocks: [{response: {content: I look further., finish_reason: pause_turn}}]",
     CLAUDE),
    ("gemini", "mocks: [{response: {content: I look further., finish_reason: RECITATION}}]",
     {"contents": [{"parts": [{"text": "Hello"}]}]}),
    ("gemini", "", {"contents": [{"parts": [{"text": "Hello"}]}]}),
    (
        "gemini",
        "",
        {"contents": [{"parts": [{"text": "Hello"}]}],
         "tools": [{"functionDeclarations": [{"name": "look", "parameters": TOOL}]}]},
    ),
]  # fmt: skip


class Service:
    """llmsim as the service that is recorded."""

    def __init__(self, folder: Path, codec: str, text: str, body: dict[str, Any]) -> None:
        self.simulated = Simulated(folder, CONFIG + text)
        self.codec = codec
        self._body = body
        provider = next(one for one in registry.PROVIDERS if codec.startswith(one.name))
        self.provider = provider.name

    def body(self, stream: bool, **more: Any) -> bytes:
        asked = self._body | more
        if self.codec != "gemini":
            asked = asked | {"stream": stream}
        if not stream:
            asked.pop("stream_options", None)
        return orjson.dumps(asked)

    def path(self, stream: bool) -> str:
        path = PATHS[self.codec]
        return path.replace(":generate", ":streamGenerate") if stream else path

    def call(self, stream: bool, **more: Any) -> Call:
        provider = next(one for one in registry.PROVIDERS if one.name == self.provider)
        if provider.pattern is not None and self.codec == "gemini":
            endpoint = provider.pattern.endpoint(self.path(stream), "alt=sse" if stream else "")
        else:
            endpoint = registry.by_codec(False)[self.codec]
        seed = str(more.get("seed", 7))
        return Call(endpoint, Client({"x-llmsim-seed": seed}), STAMP, self.body(stream, **more))

    def answer(self, stream: bool, **more: Any) -> Plan:
        return self.simulated.plan(self.call(stream, **more))

    def recording(self, stream: bool, number: int = 0, **more: Any) -> Recording:
        plan = self.answer(stream, **more)
        assert plan.stream is stream
        frames = [plan.frames[place] for place in range(len(plan.frames))]
        return Recording(
            id=f"rec_{number}",
            arrived=1_790_000_000.0 + number,
            provider=self.provider,
            endpoint=PATHS[self.codec],
            model=str(self._body.get("model", "gemini-2.5-flash")),
            stream=stream,
            request=RecordedRequest(
                path=self.path(stream),
                query="alt=sse" if stream and self.codec == "gemini" else "",
                body=Payload.of(self.body(stream, **more)),
            ),
            response=RecordedResponse(
                status=200,
                headers=[("content-type", "x/y"), ("x-ratelimit-limit-requests", "5")],
                at=0.05,
                frames=[
                    RecordedFrame(at=at, body=Payload.of(frame))
                    for at, frame in zip(plan.due[:].tolist(), frames, strict=True)
                ],
                ended=plan.total,
            ),
            usage=usage(b"".join(frames)),
        )

    def replayed(self, recordings: list[Recording], stream: bool, **more: Any) -> Plan:
        """What these recordings answer."""
        call = self.call(stream, **more)
        request = call.endpoint.codec.decode(call.body)
        call.model = request.model
        settings = asyncio.run(self.simulated.pipeline.settings(request.model))
        context = RequestContext(call, request, settings, 9)
        found = Answers(recordings, ReplaySettings(ids="keep")).find(asked_of(context))
        assert found is not None
        last = found.count - 1
        made = found.plan([min(place, last) for place in range(found.taken)], context)
        assert made is not None
        return made[1]


def content(plan: Plan) -> bytes:
    return plan.frames.join(0, len(plan.frames))
