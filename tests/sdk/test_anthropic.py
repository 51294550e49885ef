"""The official anthropic client against a live server of two workers, which refuses what is not
as it expects."""

import asyncio
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic, DefaultAsyncHttpxClient, DefaultHttpxClient
from anthropic.types import Message, MessageParam, ToolParam, ToolResultBlockParam
from anthropic.types.thread_not_found_error import ThreadNotFoundError
from pydantic import BaseModel

from llmsim.engine.tokens.tokenizer import tokenizer
from tests.serving import Server

MODEL = "claude-sonnet-4-6"  # thinks only if it is told to
THINKER = "claude-opus-5-5"  # thinks unasked
ENCODING = tokenizer("o200k_base")
USER: list[MessageParam] = [{"role": "user", "content": "Say something nice."}]


def tool(name: str, **properties: Any) -> ToolParam:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"name": name, "description": f"the {name}", "input_schema": schema}


WEATHER = tool("weather", city={"type": "string"}, days={"type": "integer", "minimum": 1})
CLOCK = tool("clock", zone={"enum": ["UTC", "CET"]})


@pytest.fixture(scope="module", params=["", "/anthropic"], ids=["/v1", "/anthropic/v1"])
def client(request: pytest.FixtureRequest, server: str) -> Iterator[Anthropic]:
    with opened(server + request.param) as made:
        yield made


def opened(url: str) -> Anthropic:
    return Anthropic(
        base_url=url,
        api_key="sk-ant-test",
        max_retries=0,
        http_client=DefaultHttpxClient(trust_env=False),
        _strict_response_validation=True,
    )


def text(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def thoughts(message: Message) -> str:
    return "".join(block.thinking for block in message.content if block.type == "thinking")


def streamed(client: Anthropic, **params: Any) -> Message:
    """The message that the helper makes of a stream."""
    with client.messages.stream(**params) as stream:
        for _ in stream:
            pass
        return stream.get_final_message()


def plain(client: Anthropic, **params: Any) -> Message:
    return client.messages.create(**params)


ways = pytest.mark.parametrize("ask", [plain, streamed])
Way = Callable[..., Message]


# --- answers ----------------------------------------------------------------------------------


@ways
def test_an_answer_has_as_many_tokens_as_it_says(client: Anthropic, ask: Way) -> None:
    message = ask(client, model=MODEL, max_tokens=500, messages=USER)
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == ENCODING.count(text(message)) > 0
    assert message.usage.service_tier == "standard"
    assert message.id.startswith("msg_")


@ways
@pytest.mark.parametrize("limit", [1, 7])
def test_max_tokens(client: Anthropic, ask: Way, limit: int) -> None:
    message = ask(client, model=MODEL, max_tokens=limit, messages=USER)
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", limit)
    assert ENCODING.count(text(message)) == limit


@ways
def test_nothing_at_all(client: Anthropic, ask: Way) -> None:
    message = ask(client, model=MODEL, max_tokens=0, messages=USER)
    assert message.content == []


@ways
def test_stop_sequences(client: Anthropic, ask: Way) -> None:
    message = ask(
        client, model=MODEL, max_tokens=500, messages=USER, stop_sequences=["QQ", ",", "."]
    )
    assert message.stop_reason == "stop_sequence"
    assert message.stop_sequence in {",", "."}
    assert not {",", "."} & set(text(message))


def test_events_and_text_of_a_stream(client: Anthropic) -> None:
    with client.messages.stream(model=MODEL, max_tokens=50, messages=USER) as stream:
        joined = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert joined == text(final) == stream.get_final_text()


def test_raw_events_of_a_stream(client: Anthropic) -> None:
    with client.messages.create(model=MODEL, max_tokens=3, messages=USER, stream=True) as stream:
        kinds = [event.type for event in stream]
    assert kinds == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


CASES: dict[str, dict[str, Any]] = {
    "text": {},
    "system": {"system": [{"type": "text", "text": "Be brief."}]},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "adaptive": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
    "unseen": {"thinking": {"type": "enabled", "budget_tokens": 1024, "display": "omitted"}},
    "unasked": {"model": THINKER},
    "tools": {"tools": [WEATHER, CLOCK], "tool_choice": {"type": "any"}},
    "schema": {
        "output_config": {
            "format": {
                "type": "json_schema",
                "schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
            }
        }
    },
}


@pytest.mark.parametrize("name", CASES)
def test_usage_is_the_same_plain_streamed_and_counted(server: str, name: str) -> None:
    """The seed follows from the body, so each way says something else; it counts the same."""
    params = {"model": MODEL, "max_tokens": 2000, "messages": USER, **CASES[name]}
    with opened(server) as client:
        whole, told = plain(client, **params), streamed(client, **params)
        del params["max_tokens"]
        count = client.messages.count_tokens(**params).input_tokens
    assert whole.usage.input_tokens == told.usage.input_tokens == count
    for message in (whole, told):
        details = message.usage.output_tokens_details
        thought = details.thinking_tokens if details is not None else 0
        shown = sum(
            block.type == "tool_use" and ENCODING.count(json.dumps(block.input))
            for block in message.content
        )
        assert message.usage.output_tokens >= thought + shown + ENCODING.count(text(message))
        if not shown:
            assert message.usage.output_tokens == thought + ENCODING.count(text(message))
        if thoughts(message):
            assert ENCODING.count(thoughts(message)) == thought


def test_the_async_client(server: str) -> None:
    async def scene() -> tuple[Message, Message]:
        async with AsyncAnthropic(
            base_url=server,
            api_key="sk-ant-test",
            http_client=DefaultAsyncHttpxClient(trust_env=False),
            _strict_response_validation=True,
        ) as client:
            whole = await client.messages.create(model=MODEL, max_tokens=20, messages=USER)
            async with client.messages.stream(model=MODEL, max_tokens=20, messages=USER) as stream:
                told = await stream.get_final_message()
        return whole, told

    for message in asyncio.run(scene()):
        assert message.usage.output_tokens == ENCODING.count(text(message)) == 20


def test_the_beta_resource(client: Anthropic) -> None:
    message = client.beta.messages.create(
        model=MODEL, max_tokens=20, messages=USER, betas=["context-1m-2025-08-07"]
    )
    assert message.usage.output_tokens == 20


def test_many_at_a_time(server: str) -> None:
    async def scene() -> list[Message]:
        async with AsyncAnthropic(
            base_url=server, api_key="x", http_client=DefaultAsyncHttpxClient(trust_env=False)
        ) as client:

            async def one() -> Message:
                async with client.messages.stream(
                    model=MODEL, max_tokens=30, messages=USER
                ) as stream:
                    return await stream.get_final_message()

            return await asyncio.gather(*[one() for _ in range(40)])

    messages = asyncio.run(scene())
    assert len({message.id for message in messages}) == 40
    assert {ENCODING.count(text(message)) for message in messages} == {30}


# --- thinking ---------------------------------------------------------------------------------


@ways
@pytest.mark.parametrize("model", [MODEL, "claude-3-haiku-20240307", "no-such-model"])
def test_thinking_comes_first_and_is_signed(client: Anthropic, ask: Way, model: str) -> None:
    message = ask(
        client,
        model=model,
        max_tokens=3000,
        messages=USER,
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    first, second = message.content
    assert first.type == "thinking"
    assert first.thinking
    assert len(first.signature) > 100
    assert second.type == "text"
    assert message.usage.output_tokens_details is not None
    spent = message.usage.output_tokens_details.thinking_tokens
    assert ENCODING.count(first.thinking) == spent <= 1024
    follow: list[MessageParam] = [
        *USER,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": "And?"},
    ]
    assert ask(client, model=model, max_tokens=5, messages=follow).usage.input_tokens < 300


@ways
@pytest.mark.parametrize(
    "params",
    [
        {"model": THINKER},
        {"model": MODEL, "thinking": {"type": "adaptive", "display": "omitted"}},
    ],
)
def test_thoughts_that_are_not_shown(client: Anthropic, ask: Way, params: Any) -> None:
    message = ask(client, max_tokens=3000, messages=USER, **params)
    first, second = message.content
    assert (first.type, thoughts(message), second.type) == ("thinking", "", "text")
    assert message.usage.output_tokens > ENCODING.count(text(message))


@ways
def test_thinking_can_be_turned_off(client: Anthropic, ask: Way) -> None:
    message = ask(
        client, model=THINKER, max_tokens=500, messages=USER, thinking={"type": "disabled"}
    )
    assert [block.type for block in message.content] == ["text"]


# --- tools ------------------------------------------------------------------------------------


def run_tools(message: Message) -> list[ToolResultBlockParam]:
    """What the tools return, in the next message."""
    results: list[ToolResultBlockParam] = []
    for block in message.content:
        if block.type == "tool_use":
            told = f"{block.name} with {json.dumps(block.input)}"
            results.append({"type": "tool_result", "tool_use_id": block.id, "content": told})
    return results


@ways
@pytest.mark.parametrize("beside", [[], [{"type": "text", "text": "Go on."}]])
def test_a_tool_loop_comes_to_its_end(client: Anthropic, ask: Way, beside: Any) -> None:
    messages = list(USER)
    for _ in range(5):
        message = ask(
            client, model=MODEL, max_tokens=1000, messages=messages, tools=[WEATHER, CLOCK]
        )
        if message.stop_reason != "tool_use":
            break
        results = run_tools(message)
        assert results
        messages.append({"role": "assistant", "content": message.content})
        messages.append({"role": "user", "content": [*results, *beside]})
    assert message.stop_reason == "end_turn"
    assert len(messages) > 1
    assert "returned:" in text(message)


@ways
def test_input_is_valid(client: Anthropic, ask: Way) -> None:
    for _ in range(5):
        message = ask(client, model=MODEL, max_tokens=1000, messages=USER, tools=[WEATHER])
        for block in message.content:
            assert block.type == "tool_use"
            assert isinstance(block.input["city"], str)
            assert isinstance(block.input["days"], int)
            assert block.input["days"] >= 1


@ways
@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ({"type": "any"}, {"weather", "clock"}),
        ({"type": "tool", "name": "clock"}, {"clock"}),
        ({"type": "none"}, set()),
        ({"type": "auto", "disable_parallel_tool_use": True}, {"weather", "clock"}),
    ],
)
def test_tool_choice(client: Anthropic, ask: Way, choice: Any, names: set[str]) -> None:
    for _ in range(8):
        message = ask(
            client,
            model=MODEL,
            max_tokens=1000,
            messages=USER,
            tools=[WEATHER, CLOCK],
            tool_choice=choice,
        )
        called = [block.name for block in message.content if block.type == "tool_use"]
        assert set(called) <= names
        assert bool(called) is bool(names)
        if "disable_parallel_tool_use" in choice:
            assert len(called) == 1


def test_the_tool_runner(client: Anthropic) -> None:
    asked: list[str] = []

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """How the weather is.

        Args:
            city: where
        """
        asked.append(city)
        return "sunny"

    runner = client.beta.messages.tool_runner(
        model=MODEL, max_tokens=500, messages=USER, tools=[weather], max_iterations=5
    )
    *_, last = runner
    assert asked
    assert last.stop_reason == "end_turn"


def test_a_thread_over_connections_of_its_own(server: str) -> None:
    """Each turn says only what is new, to whichever worker; the prompt grows all the same."""
    previous, sizes = None, []
    for turn in range(6):
        thread: Any = {"type": "create"}
        if previous is not None:
            thread = {"type": "continue", "previous_message_id": previous}
        with opened(server) as client:
            message = client.beta.messages.create(
                model=MODEL,
                max_tokens=10,
                messages=[{"role": "user", "content": f"turn {turn}"}],
                thread=thread,
                betas=["message-threads-2026-08-12"],
            )
        previous = message.id
        sizes.append(message.usage.input_tokens)
    question = ENCODING.count("turn 1") + 4
    assert [later - sooner for sooner, later in pairwise(sizes)] == [question + 10 + 4] * 5


def test_a_thread_that_is_lost(client: Anthropic) -> None:
    with pytest.raises(ThreadNotFoundError):
        client.beta.messages.create(
            model=MODEL,
            max_tokens=10,
            messages=[{"role": "user", "content": "more"}],
            thread={"type": "continue", "previous_message_id": "msg_01" + "0" * 26},
        )


@ways
def test_a_call_that_was_cut_short(client: Anthropic, ask: Way) -> None:
    message = ask(
        client,
        model=MODEL,
        max_tokens=8,
        messages=USER,
        tools=[WEATHER],
        tool_choice={"type": "any"},
    )
    assert message.stop_reason == "max_tokens"
    (block,) = message.content
    assert block.type == "tool_use"
    assert isinstance(block.input, dict)


# --- structured output ------------------------------------------------------------------------


class Person(BaseModel):
    name: str
    age: int
    tags: list[str]


def test_parsed(client: Anthropic) -> None:
    message = client.messages.parse(
        model=MODEL, max_tokens=1000, messages=USER, output_format=Person
    )
    assert isinstance(message.parsed_output, Person)


def test_parsed_from_a_stream(client: Anthropic) -> None:
    with client.messages.stream(
        model=MODEL, max_tokens=1000, messages=USER, output_format=Person
    ) as stream:
        message = stream.get_final_message()
    assert isinstance(message.parsed_output, Person)


# --- the prompt cache -------------------------------------------------------------------------


def test_the_cache_is_seen_by_every_worker(server: str) -> None:
    """Each request comes over a connection of its own, so either worker may answer it."""
    context = "the cache of all workers " * 600

    def cached() -> tuple[int, int, int]:
        with opened(server) as client:
            usage = client.messages.create(
                model=MODEL,
                max_tokens=1,
                system=[{"type": "text", "text": context, "cache_control": {"type": "ephemeral"}}],
                messages=USER,
            ).usage
        return (
            usage.input_tokens,
            usage.cache_creation_input_tokens or 0,
            usage.cache_read_input_tokens or 0,
        )

    rest, written, read = cached()
    assert (written > 2000, read) == (True, 0)
    assert [cached() for _ in range(12)] == [(rest, 0, written)] * 12
    with opened(server) as client:
        count = client.messages.count_tokens(model=MODEL, system=context, messages=USER)
    assert count.input_tokens == rest + written


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "kind", "said"),
    [
        ({"max_tokens": -1}, anthropic.BadRequestError, "max_tokens: Input should be greater"),
        ({"messages": []}, anthropic.BadRequestError, "messages: at least one message"),
        (
            {"model": "claude-3-haiku-20240307", "max_tokens": 4096, "system": "word " * 200_000},
            anthropic.BadRequestError,
            "prompt is too long: ",
        ),
        (
            {"model": "claude-haiku-4-5", "max_tokens": 199_999, "stream": True},
            anthropic.BadRequestError,
            "input length and `max_tokens` exceed context limit: ",
        ),
    ],
)
def test_errors(client: Anthropic, params: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as caught:
        client.messages.create(**{"model": MODEL, "max_tokens": 9, "messages": USER, **params})
    error = caught.value
    assert isinstance(error, anthropic.APIStatusError)
    assert isinstance(error.body, dict)
    assert error.body["error"]["message"].startswith(said)
    assert error.body["request_id"] == error.request_id == error.response.headers["request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/messages", 405), ("POST", "/v1/messages/nothing", 404)],
)
def test_paths_that_are_not_served(client: Anthropic, method: str, path: str, status: int) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        getattr(client, method.lower())(path, cast_to=object)
    assert caught.value.status_code == status
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "error"


def test_strict_validation(serve: Callable[..., Server], tmp_path: Any) -> None:
    config = tmp_path / "strict.yaml"
    config.write_text("validation: strict\n")
    with serve("--config", str(config), "--latency", "instant") as sim, opened(sim.url) as client:
        assert client.messages.create(model=MODEL, max_tokens=9, messages=USER).content
        for params in ({"model": "claude-nobody"}, {"max_tokens": 20_000_000, "stream": True}):
            with pytest.raises(anthropic.APIStatusError):
                client.messages.create(
                    **{"model": MODEL, "max_tokens": 9, "messages": USER, **params}
                )
        with pytest.raises(anthropic.BadRequestError, match="after_id"):
            client.messages.batches.list(after_id="msgbatch_none")
        unversioned = client.with_options(default_headers={"anthropic-version": anthropic.Omit()})
        with pytest.raises(anthropic.BadRequestError, match="anthropic-version"):
            unversioned.messages.create(model=MODEL, max_tokens=9, messages=USER)


# --- models -----------------------------------------------------------------------------------


def test_models_page_by_page(client: Anthropic) -> None:
    whole = [model.id for model in client.models.list(limit=1000)]
    assert [model.id for model in client.models.list(limit=4)] == whole
    last = client.models.list(before_id=whole[5], limit=3)
    assert [model.id for model in last.data] == whole[2:5]
    assert "claude-haiku-4-5-20251001" in whole
    assert not [name for name in whole if "claude" not in name]


def test_a_model_by_its_alias(client: Anthropic) -> None:
    model = client.models.retrieve("claude-haiku-4-5")
    assert (model.id, model.lifecycle) == ("claude-haiku-4-5-20251001", "active")


def test_a_model_that_is_not_there(client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="model: claude-nobody"):
        client.models.retrieve("claude-nobody")


def test_retired_models_show_when_asked_for(client: Anthropic) -> None:
    assert {model.lifecycle for model in client.models.list(lifecycle=["retired"])} == {"retired"}


# --- batches ----------------------------------------------------------------------------------


def request(name: str, **params: Any) -> Any:
    return {
        "custom_id": name,
        "params": {"model": MODEL, "max_tokens": 20, "messages": USER, **params},
    }


def ended(client: Anthropic, name: str) -> anthropic.types.messages.MessageBatch:
    """The batch once it has ended; a poll takes its time by itself."""
    for _ in range(5000):
        batch = client.messages.batches.retrieve(name)
        if batch.processing_status == "ended":
            return batch
    raise AssertionError(f"{name} does not end")


def test_a_batch_from_its_making_to_its_end(client: Anthropic) -> None:
    batches = client.messages.batches
    made = batches.create(
        requests=[request("a"), request("b", max_tokens=-1), request("c", tools=[WEATHER])]
    )
    assert made.processing_status == "in_progress"
    assert made.request_counts.processing == 3
    batch = ended(client, made.id)
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (2, 1)
    assert batch.results_url is not None
    assert batch.results_url.startswith(str(client.base_url))
    results = {line.custom_id: line.result for line in batches.results(made.id)}
    assert [results[name].type for name in "abc"] == ["succeeded", "errored", "succeeded"]
    first = results["a"]
    assert first.type == "succeeded"
    assert first.message.usage.service_tier == "batch"
    assert ENCODING.count(text(first.message)) == first.message.usage.output_tokens == 20
    assert batches.delete(made.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        batches.retrieve(made.id)


def test_batches_are_listed_newest_first(client: Anthropic) -> None:
    batches = client.messages.batches
    made = [batches.create(requests=[request("a")]).id for _ in range(5)]
    newest = list(reversed(made))
    assert [batch.id for batch in batches.list(limit=5).data] == newest
    page = batches.list(limit=2)
    following = page.get_next_page()
    assert [batch.id for batch in [*page.data, *following.data]] == newest[:4]
    assert [batch.id for batch in batches.list(before_id=newest[3], limit=2).data] == newest[1:3]
    assert batches.list(after_id="msgbatch_none").data == []


def test_a_batch_that_is_canceled(serve: Callable[..., Server]) -> None:
    with serve("--workers", "2", "--latency", "gpt-4") as sim, opened(sim.url) as client:
        batches = client.messages.batches
        made = batches.create(requests=[request("a", max_tokens=1000), request("b", max_tokens=-1)])
        with pytest.raises(anthropic.BadRequestError, match="still processing"):
            batches.delete(made.id)
        assert batches.retrieve(made.id).results_url is None
        assert batches.cancel(made.id).processing_status == "canceling"
        counts = ended(client, made.id).request_counts
        assert (counts.canceled, counts.errored, counts.succeeded) == (1, 1, 0)
        assert {line.custom_id: line.result.type for line in batches.results(made.id)} == {
            "a": "canceled",
            "b": "errored",
        }


def test_a_batch_that_is_wrong(client: Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="not unique"):
        client.messages.batches.create(requests=[request("a"), request("a")])
