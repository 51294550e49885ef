"""The newest `openai` package gets from llmsim what it gets from OpenAI: responses."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import openai
import pytest
import websockets.sync.client
from openai import AsyncOpenAI, DefaultHttpxClient, OpenAI
from openai.types.responses import Response
from pydantic import BaseModel

from llmsim.engine.tokens import ranks
from tests.live.http1 import slot_of
from tests.live.watch import until
from tests.live.workers import pids

MODEL = "gpt-4o"
TOKENS = ranks.encoding("o200k_base").encode_ordinary
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}
CLOCK: Any = {
    "type": "function",
    "name": "get_time",
    "parameters": {"type": "object", "properties": {"zone": {"enum": ["UTC", "CET"]}}},
}
SHELL: Any = {"type": "custom", "name": "shell"}


class Event(BaseModel):
    name: str
    attendees: list[str]


@contextmanager
def elsewhere(client: OpenAI) -> Iterator[OpenAI]:
    """A client with a connection of its own, which either worker may accept."""
    with client.copy(http_client=DefaultHttpxClient(trust_env=False)) as other:
        yield other


def on_both(server: str, client: OpenAI, request: Callable[[OpenAI], Response]) -> list[Response]:
    """Responses of which each worker has made at least one."""
    slots = pids(int(server.rpartition(":")[2])).keys()
    made: list[Response] = []

    def again() -> set[int]:
        with elsewhere(client) as other:
            made.append(request(other))
        return {slot_of(one.id) for one in made}

    until(again, lambda reached: reached == slots, pause=0)
    return made


def test_a_plain_answer(openai_client: OpenAI) -> None:
    answer = openai_client.responses.create(model=MODEL, input="hi", metadata={"a": "b"})
    assert (answer.object, answer.status, answer.model) == ("response", "completed", MODEL)
    assert answer.id.startswith("resp_")
    assert (answer.error, answer.incomplete_details) == (None, None)
    assert answer.metadata == {"a": "b"}
    assert answer.usage is not None
    assert answer.usage.input_tokens == 8
    assert answer.usage.output_tokens == len(TOKENS(answer.output_text)) > 0
    assert answer.usage.total_tokens == 8 + answer.usage.output_tokens


KINDS: dict[str, dict[str, Any]] = {
    "text": {},
    "cut": {"max_output_tokens": 16},
    "instructions": {"instructions": "Be brief.", "temperature": 0.5, "user": "me"},
    "logprobs": {"include": ["message.output_text.logprobs"], "top_logprobs": 3},
    "reasoning": {"model": "gpt-5"},
    "summary": {"model": "gpt-5", "reasoning": {"effort": "low", "summary": "auto"}},
    "encrypted": {"model": "o3", "include": ["reasoning.encrypted_content"]},
    "function": {"tools": [WEATHER], "tool_choice": "required"},
    "functions": {"tools": [WEATHER, CLOCK], "tool_choice": "required"},
    "custom": {"tools": [SHELL], "tool_choice": {"type": "custom", "name": "shell"}},
    "built-in": {"tools": [{"type": "web_search"}], "tool_choice": "auto"},
    "json": {"text": {"format": {"type": "json_object"}}},
    "background": {"background": True},
    "summary and call": {
        "model": "gpt-5",
        "reasoning": {"effort": "low", "summary": "auto"},
        "tools": [WEATHER],
        "tool_choice": "required",
    },
}


def plainly(response: Any) -> Any:
    """A response without what the SDK adds of its own."""

    def bare(value: Any) -> Any:
        if isinstance(value, list):
            return [bare(one) for one in value]
        if isinstance(value, dict):
            own = ("parsed", "parsed_arguments")
            return {key: bare(one) for key, one in value.items() if key not in own}
        return value

    return bare(response.to_dict())


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_put_together_to_the_answer_that_is_kept(
    openai_client: OpenAI, kind: str
) -> None:
    asked = {"model": MODEL, "input": "hi", **KINDS[kind]}
    with openai_client.responses.create(stream=True, **asked) as stream:
        events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last: Any = events[-1]
    kept = openai_client.responses.retrieve(last.response.id)
    assert last.response == kept
    assert last.type == f"response.{kept.status}"

    with openai_client.responses.stream(**asked) as helped:
        told = list(helped)
    ended: Any = told[-1]
    assert plainly(ended.response) == plainly(openai_client.responses.retrieve(ended.response.id))
    if kept.status == "completed":
        assert plainly(helped.get_final_response()) == plainly(ended.response)
    deltas = [event for event in told if event.type == "response.output_text.delta"]
    assert "".join(event.delta for event in deltas) == kept_text(ended.response)


def kept_text(response: Any) -> str:
    texts = [
        part.text
        for item in response.output
        if item.type == "message"
        for part in item.content
        if part.type == "output_text"
    ]
    return "".join(texts)


def test_structured_outputs_are_parsed(openai_client: OpenAI) -> None:
    parsed = openai_client.responses.parse(model=MODEL, input="Plan it.", text_format=Event)
    assert isinstance(parsed.output_parsed, Event)
    with openai_client.responses.stream(
        model=MODEL, input="Plan it.", text_format=Event, tools=[WEATHER], tool_choice="none"
    ) as stream:
        final = stream.get_final_response()
    assert isinstance(final.output_parsed, Event)


def test_async_plain_and_streamed(openai_async: AsyncOpenAI) -> None:
    async def scene() -> tuple[str, str]:
        async with openai_async as client:
            plain = await client.responses.create(model=MODEL, input="hi")
            stream = await client.responses.create(model=MODEL, input="hi", stream=True)
            events: list[Any] = [event async for event in stream]
            kept = await client.responses.retrieve(events[-1].response.id)
            assert kept == events[-1].response
            return plain.output_text, kept.output_text

    assert all(asyncio.run(scene()))


def test_what_one_worker_answers_the_other_tells_at_once(
    server: str, openai_client: OpenAI
) -> None:
    made = on_both(server, openai_client, lambda c: c.responses.create(model=MODEL, input="hi"))
    for _ in range(8):
        with elsewhere(openai_client) as client:
            for one in made:
                assert client.responses.retrieve(one.id) == one


@pytest.mark.parametrize("streamed", [False, True])
def test_an_agent_with_two_tools_comes_to_an_end(
    server: str, openai_client: OpenAI, streamed: bool
) -> None:
    def turn(client: OpenAI, **fields: Any) -> Response:
        asked = {"model": MODEL, "tools": [WEATHER, CLOCK], **fields}
        if not streamed:
            return client.responses.create(**asked)
        with client.responses.stream(**asked) as stream:
            return stream.get_final_response()

    for first in on_both(server, openai_client, lambda c: turn(c, input="Weather and time?")):
        latest, called = first, 0
        while calls := [item for item in latest.output if item.type == "function_call"]:
            called += len(calls)
            assert called < 10
            for call in calls:
                arguments = json.loads(call.arguments)
                assert call.name == "get_time" or set(arguments) == {"city", "days"}
            results: Any = [
                {"type": "function_call_output", "call_id": call.call_id, "output": "sunny 42"}
                for call in calls
            ]
            with elsewhere(openai_client) as client:
                latest = turn(client, input=results, previous_response_id=latest.id)
        assert called
        assert "sunny 42" in latest.output_text


def test_the_whole_conversation_sent_again(openai_client: OpenAI) -> None:
    """As clients do that want nothing stored: outputs, reasoning included, come back as input."""
    history: Any = [{"role": "user", "content": "Weather?"}]
    for _ in range(5):
        answer = openai_client.responses.create(
            model="gpt-5",
            input=history,
            tools=[WEATHER],
            store=False,
            include=["reasoning.encrypted_content"],
        )
        assert answer.output[0].type == "reasoning"
        history += [item.to_dict() for item in answer.output]
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            break
        history += [
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny 42"}
            for call in calls
        ]
    assert "sunny 42" in answer.output_text
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.retrieve(answer.id)
    with pytest.raises(openai.BadRequestError) as caught:
        openai_client.responses.create(model=MODEL, input="x", previous_response_id=answer.id)
    assert caught.value.code == "previous_response_not_found"


def test_in_the_background(server: str, openai_client: OpenAI) -> None:
    def request(client: OpenAI) -> Response:
        return client.responses.create(model="gpt-5", input="hi", background=True)

    for queued in on_both(server, openai_client, request):
        assert (queued.status, queued.output, queued.usage) == ("queued", [], None)
        seen = {"queued"}

        def look(name: str = queued.id, seen: set[str] = seen) -> Response:
            with elsewhere(openai_client) as client:
                now = client.responses.retrieve(name)
            seen.add(now.status or "")
            return now

        done = until(look, lambda now: now.status == "completed", pause=0.005)
        assert done.output_text
        assert seen <= {"queued", "in_progress", "completed"}
        with openai_client.responses.retrieve(queued.id, stream=True) as stream:
            events: list[Any] = list(stream)
        assert [one.type for one in events[:3]] == [
            "response.created",
            "response.queued",
            "response.in_progress",
        ]
        assert events[-1].response == done
        rest = openai_client.responses.retrieve(queued.id, stream=True, starting_after=5)
        assert list(rest) == events[6:]
        assert openai_client.responses.cancel(queued.id) == done


def test_a_stream_that_broke_off_is_taken_up_again(openai_client: OpenAI) -> None:
    stream = openai_client.responses.create(model=MODEL, input="hi", background=True, stream=True)
    begun: list[Any] = [next(stream) for _ in range(12)]
    stream.close()
    name = begun[0].response.id
    with elsewhere(openai_client) as client:
        rest: Any = list(client.responses.retrieve(name, stream=True, starting_after=11))
    numbers = [event.sequence_number for event in [*begun, *rest]]
    assert numbers == list(range(len(numbers)))
    pieces = [
        event.delta for event in [*begun, *rest] if event.type == "response.output_text.delta"
    ]
    assert "".join(pieces) == rest[-1].response.output_text


def test_cancelling(serve: Callable[..., Any], openai_client: OpenAI) -> None:
    with serve("--workers", "2", "--latency", "o-series") as slow:
        client = openai_client.copy(base_url=f"{slow.url}/v1")
        queued = client.responses.create(model=MODEL, input="hi", background=True)
        assert client.responses.cancel(queued.id).status == "cancelled"
        with elsewhere(client) as other:
            assert other.responses.retrieve(queued.id).status == "cancelled"
            assert other.responses.cancel(queued.id).status == "cancelled"


def test_deleting(server: str, openai_client: OpenAI) -> None:
    made = on_both(server, openai_client, lambda c: c.responses.create(model=MODEL, input="hi"))
    for one in made:
        openai_client.responses.delete(one.id)
        with elsewhere(openai_client) as client:
            for call in (
                client.responses.retrieve,
                client.responses.delete,
                client.responses.cancel,
                client.responses.input_items.list,
            ):
                with pytest.raises(openai.NotFoundError):
                    call(one.id)
            with pytest.raises(openai.BadRequestError):
                client.responses.create(model=MODEL, input="x", previous_response_id=one.id)


def test_input_items_page_by_page(openai_client: OpenAI) -> None:
    items: Any = [{"role": "user", "content": str(number)} for number in range(7)]
    answer = openai_client.responses.create(model=MODEL, input=items)
    pages = openai_client.responses.input_items.list(answer.id, limit=3, order="asc")
    assert len(pages.data) == 3
    listed: list[Any] = list(pages)
    assert [item.content[0].text for item in listed] == list("0123456")
    newest = openai_client.responses.input_items.list(answer.id)
    assert [item.id for item in newest] == [item.id for item in reversed(listed)]
    reference: Any = [{"type": "item_reference", "id": listed[2].id}]
    again = openai_client.responses.create(model=MODEL, input=reference)
    assert again.usage is not None
    assert again.usage.input_tokens == 8


def test_counting_and_compacting(openai_client: OpenAI) -> None:
    asked: Any = {"model": MODEL, "input": "How is the weather?", "tools": [WEATHER]}
    counted = openai_client.responses.input_tokens.count(**asked)
    answer = openai_client.responses.create(**asked)
    assert answer.usage is not None
    assert counted.input_tokens == answer.usage.input_tokens
    compacted = openai_client.responses.compact(model=MODEL, input="A long story.")
    again: Any = [item.to_dict() for item in compacted.output]
    assert openai_client.responses.create(model=MODEL, input=again).output_text


def test_conversations(openai_client: OpenAI) -> None:
    conversations = openai_client.conversations
    made = conversations.create(items=[{"role": "user", "content": "a"}], metadata={"k": "v"})
    assert conversations.retrieve(made.id).metadata == {"k": "v"}
    with elsewhere(openai_client) as client:
        one = client.responses.create(model=MODEL, input="b", conversation=made.id)
    assert one.conversation is not None
    assert one.conversation.id == made.id
    conversations.items.create(made.id, items=[{"role": "user", "content": "c"}])
    listed: list[Any] = list(conversations.items.list(made.id, order="asc", limit=2))
    assert [item.content[0].text for item in listed] == ["a", "b", one.output_text, "c"]
    assert conversations.items.retrieve(listed[1].id, conversation_id=made.id) == listed[1]
    conversations.items.delete(listed[0].id, conversation_id=made.id)
    assert len(list(conversations.items.list(made.id))) == 3
    assert conversations.update(made.id, metadata={"x": "y"}).metadata == {"x": "y"}
    assert conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.create(model=MODEL, input="b", conversation=made.id)


@pytest.mark.parametrize("prefix", ["/openai/v1", "/openresponses/v1"])
def test_other_paths(server: str, openai_client: OpenAI, prefix: str) -> None:
    client = openai_client.copy(base_url=server + prefix)
    answer = client.responses.create(model=MODEL, input="hi")
    assert client.responses.retrieve(answer.id) == answer
    with client.responses.connect() as connection:
        connection.response.create(model=MODEL, input="hi")
        assert connection.recv().type == "response.created"


@pytest.mark.parametrize(
    ("fields", "error", "param"),
    [
        ({"input": [{"type": "foo"}]}, openai.BadRequestError, "input[0].type"),
        ({"temperature": 9}, openai.BadRequestError, "temperature"),
        ({"input": "word " * 200_000}, openai.BadRequestError, "input"),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"enum": []}}}},
            openai.BadRequestError,
            "text.format.schema",
        ),
        ({"conversation": "conv_1"}, openai.NotFoundError, None),
    ],
)
def test_errors(
    openai_client: OpenAI, fields: Any, error: type[openai.APIStatusError], param: str | None
) -> None:
    for stream in (False, True):
        with pytest.raises(error) as caught:
            openai_client.responses.create(
                **{"model": MODEL, "input": "hi", **fields}, stream=stream
            )
        assert caught.value.param == param


def test_turns_over_one_socket(openai_client: OpenAI) -> None:
    client = openai_client
    with client.responses.connect() as connection:
        previous: Any = {}
        inputs = []
        for turn in range(3):
            connection.response.create(model=MODEL, input=str(turn), store=False, **previous)
            events: list[Any] = []
            while not events or events[-1].type != "response.completed":
                events.append(connection.recv())
            assert [event.sequence_number for event in events] == list(range(len(events)))
            done = events[-1].response
            inputs.append(done.usage.input_tokens)
            previous = {"previous_response_id": done.id}
            with pytest.raises(openai.NotFoundError):
                client.responses.retrieve(done.id)
        assert inputs == sorted(set(inputs)), "each turn has more to read"
    with client.responses.connect() as connection:
        connection.response.create(model=MODEL, input="x", **previous)
        refused: Any = connection.recv()
        assert (refused.type, refused.status) == ("error", 400)
        assert refused.error.code == "previous_response_not_found"


def test_a_socket_tells_what_a_stream_tells(server: str) -> None:
    address = server.replace("http", "ws") + "/v1/responses"
    with websockets.sync.client.connect(address, proxy=None) as connection:
        connection.send("{")
        assert json.loads(connection.recv())["type"] == "error"
        connection.send(json.dumps({"type": "response.create", "model": MODEL, "input": "hi"}))
        connection.send(json.dumps({"type": "response.create", "model": MODEL, "input": "again"}))
        ended = 0
        told: list[Any] = []
        while ended < 2:
            message = connection.recv()
            assert isinstance(message, str)
            told.append(json.loads(message))
            ended += told[-1]["type"] == "response.completed"
        half = len(told) // 2
        assert [one["sequence_number"] for one in told] == list(range(half)) * 2
        client = OpenAI(
            base_url=f"{server}/v1",
            api_key="x",
            http_client=DefaultHttpxClient(trust_env=False),
        )
        kept = client.responses.retrieve(told[-1]["response"]["id"])
        assert kept.to_dict() == told[-1]["response"]


def test_unknown_sockets_are_not_found(server: str) -> None:
    address = server.replace("http", "ws") + "/v1/nothing"
    with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
        websockets.sync.client.connect(address, proxy=None)
    assert caught.value.response.status_code == 404


def test_strict_validation(serve: Callable[..., Any], openai_client: OpenAI, tmp_path: Any) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("validation: strict\n", encoding="utf-8")
    args = ("--workers", "1", "--latency", "instant", "--config", str(path))
    with serve(*args) as strict:
        client = openai_client.copy(base_url=f"{strict.url}/v1")
        assert client.responses.create(model=MODEL, input="hi").output_text
        calls: list[Any] = [
            partial(client.responses.create, input="hi"),
            partial(client.chat.completions.create, messages=[{"role": "user", "content": "hi"}]),
        ]
        for call in calls:
            with pytest.raises(openai.NotFoundError) as missing:
                call(model="gpt-nothing")
            assert missing.value.code == "model_not_found"
            with pytest.raises(openai.BadRequestError) as caught:
                call(model=MODEL, stream_options={})
            assert caught.value.param == "stream_options"
