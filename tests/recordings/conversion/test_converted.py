"""What was recorded plain as a stream, the other way round, and several as one, in all dialects.

llmsim's own answers are what is recorded: plain and streamed it gives the same answer to the same
request, so the one that is converted must be the other, byte for byte.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec import structs

from llmsim.core import ConnectionEnd, Plan
from llmsim.core.mocks.replay import ReplaySettings
from llmsim.pipeline.context import Call, RequestContext
from llmsim.pipeline.steps.replay import asked_of
from llmsim.providers import registry
from llmsim.recordings.answers import placed_documents, usage
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
    ResponseEnd,
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


NAMES = [f"{codec} {place}" for place, (codec, _, _) in enumerate(ANSWERS)]


@pytest.mark.parametrize(("codec", "text", "body"), ANSWERS, ids=NAMES)
def test_a_stream_is_a_plain_answer_too(
    codec: str, text: str, body: dict[str, Any], tmp_path: Path
) -> None:
    service = Service(tmp_path, codec, text, body)
    recorded = service.recording(True)
    made = service.replayed([recorded], False)
    assert orjson.loads(content(made)) == orjson.loads(content(service.answer(False)))
    assert not made.stream
    assert made.due[0] == recorded.response.ended
    assert dict(made.headers or ())["content-type"].startswith("application/json")


@pytest.mark.parametrize(("codec", "text", "body"), ANSWERS, ids=NAMES)
def test_a_plain_answer_is_a_stream_too(
    codec: str, text: str, body: dict[str, Any], tmp_path: Path
) -> None:
    service = Service(tmp_path, codec, text, body)
    recorded = service.recording(False)
    made = service.replayed([recorded], True)
    own = service.answer(True)
    # Of several choices each has its own pace, and the frames then another order.
    assert sorted(content(made).split(b"\n\n")) == sorted(content(own).split(b"\n\n"))
    assert made.stream
    times = made.due[:].tolist()
    assert times == sorted(times)
    assert times[-1] == pytest.approx(recorded.response.ended)
    assert len(set(times)) > 3 or codec == "gemini"  # whose calls are one chunk
    assert dict(made.headers or ())["content-type"] == "text/event-stream; charset=utf-8" or (
        dict(made.headers or ())["content-type"] == "text/event-stream"
    )
    assert ("x-ratelimit-limit-requests", "5") in (made.headers or ())


@pytest.mark.parametrize("stream", [False, True])
def test_several_choices_take_several_recordings(stream: bool, tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    recorded = [service.recording(stream, number, seed=number) for number in (0, 1)]
    made = service.replayed(recorded, stream, n=3)
    texts = {0: "", 1: "", 2: ""}
    documents = [document for _, document in placed_documents([content(made)])]
    for document in documents:
        for choice in document["choices"]:
            said = choice.get("delta", choice.get("message"))
            texts[choice["index"]] += said.get("content") or ""
    whole = [
        orjson.loads(content(service.answer(False, seed=seed)))["choices"][0]["message"]["content"]
        for seed in (0, 1)
    ]
    assert list(texts.values()) == [*whole, whole[1]]
    assert documents[-1]["usage"]["completion_tokens"] == 36
    if stream:  # each at its own times
        assert made.due[len(made.due) - 1] == max(one.response.ended for one in recorded)


def test_several_that_were_recorded_together_are_sent_as_they_came(tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    recorded = [service.recording(True), service.recording(True, 1, n=2)]
    made = service.replayed(recorded, True, n=2)
    assert content(made) == recorded[1].response.content


def test_the_form_that_was_asked_for_goes_first(tmp_path: Path) -> None:
    service = Service(tmp_path, "anthropic", "", CLAUDE)
    recorded = [service.recording(True), service.recording(False, 1)]
    for stream, one in zip((True, False), recorded, strict=True):
        assert content(service.replayed(recorded, stream)) == one.response.content


@pytest.mark.parametrize("end", [ResponseEnd.CUT, ResponseEnd.RESET, ResponseEnd.TIMEOUT])
def test_a_stream_that_broke_off_is_no_plain_answer(end: ResponseEnd, tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    whole = service.recording(True)
    response = structs.replace(whole.response, frames=whole.response.frames[:3], end=end)
    made = service.replayed([structs.replace(whole, response=response)], False)
    assert made.ending is ConnectionEnd.UNANSWERED
    assert made.due[0] == whole.response.ended


FAILURES = [
    ("openai_chat", CHAT, {"error": {"message": "Busy", "code": "rate_limit_exceeded"}}, 429),
    ("anthropic", CLAUDE, {"type": "error", "error": {"type": "overloaded_error"}}, 529),
    ("gemini", ANSWERS[-2][2], {"error": {"code": 503, "message": "Busy"}}, 503),
    ("openai_responses", {"model": "gpt-4o", "input": "Hello"},
     {"type": "response.failed", "response": {"error": {"code": "server_error"}}}, 500),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "body", "event", "status"), FAILURES)
def test_a_failure_within_a_stream_is_one_in_place_of_an_answer(
    codec: str, body: dict[str, Any], event: dict[str, Any], status: int, tmp_path: Path
) -> None:
    service = Service(tmp_path, codec, "", body)
    whole = service.recording(True)
    last = RecordedFrame(at=0.3, body=Payload.of(b"data: %b\n\n" % orjson.dumps(event)))
    response = structs.replace(whole.response, frames=[*whole.response.frames[:2], last])
    made = service.replayed([structs.replace(whole, response=response)], False)
    assert made.status == status
    error = event["response"]["error"] if "response" in event else event["error"]
    assert orjson.loads(content(made))["error"] == error


def test_a_failure_is_one_however_it_is_asked_for(tmp_path: Path) -> None:
    service = Service(tmp_path, "openai_chat", "", CHAT)
    whole = service.recording(False)
    frames = [RecordedFrame(at=0.1, body=Payload.of(b'{"error":{}}'))]
    response = structs.replace(whole.response, status=429, frames=frames)
    made = service.replayed([structs.replace(whole, response=response)], True)
    assert (made.status, content(made)) == (429, b'{"error":{}}')
