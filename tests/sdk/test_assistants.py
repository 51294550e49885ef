"""The newest `openai` package gets from llmsim what it got from OpenAI: assistants."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler, AsyncOpenAI, OpenAI
from openai.types.beta.threads import Run
from typing_extensions import override

from tests.sdk.test_responses import elsewhere

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
HELLO: Any = [{"role": "user", "content": "What is the weather like?"}]


@pytest.fixture
def beta(openai_client: OpenAI) -> Any:
    return openai_client.beta


@contextmanager
def another(client: OpenAI) -> Iterator[Any]:
    """A client whose connection either worker may accept."""
    with elsewhere(client) as other:
        yield other.beta


def outputs(run: Run) -> list[Any]:
    assert run.required_action is not None
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": f"sunny: {call.function.name}"} for call in calls]


class Recorder(AssistantEventHandler):
    """Notes which handlers were called."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.calls: list[str] = []
        self.text = ""

    @override
    def on_event(self, event: Any) -> None:
        self.events.append(event.event)

    @override
    def on_text_created(self, text: Any) -> None:
        self.calls.append("text created")

    @override
    def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        self.text += delta.value
        assert snapshot.value == self.text

    @override
    def on_text_done(self, text: Any) -> None:
        assert text.value == self.text
        self.calls.append("text done")

    @override
    def on_message_done(self, message: Any) -> None:
        self.calls.append("message done")

    @override
    def on_tool_call_created(self, tool_call: Any) -> None:
        self.calls.append(f"{tool_call.type} created")

    @override
    def on_run_step_done(self, run_step: Any) -> None:
        self.calls.append("step done")

    @override
    def on_end(self) -> None:
        self.calls.append("end")


def test_assistants_are_made_listed_changed_and_deleted(beta: Any) -> None:
    made = beta.assistants.create(
        model="gpt-4o",
        name="Weather",
        instructions="Be brief.",
        tools=[WEATHER, {"type": "code_interpreter"}],
        tool_resources={"code_interpreter": {"file_ids": ["file-1"]}},
        metadata={"a": "b"},
        temperature=0.5,
        response_format={"type": "json_object"},
    )
    assert made.id.startswith("asst_")
    assert (made.metadata, made.temperature) == ({"a": "b"}, 0.5)
    assert made.tool_resources.code_interpreter.file_ids == ["file-1"]
    assert beta.assistants.retrieve(made.id) == made
    assert made in list(beta.assistants.list(limit=5))
    assert beta.assistants.update(made.id, name="New").name == "New"
    assert beta.assistants.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        beta.assistants.retrieve(made.id)


def test_create_and_poll(beta: Any) -> None:
    assistant = beta.assistants.create(model="gpt-4o")
    thread = beta.threads.create(messages=HELLO)
    run = beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "completed"
    answer = next(iter(beta.threads.messages.list(thread.id, run_id=run.id)))
    assert (answer.role, answer.run_id) == ("assistant", run.id)
    assert answer.content[0].text.value
    (step,) = beta.threads.runs.steps.list(run.id, thread_id=thread.id)
    assert step.step_details.message_creation.message_id == answer.id
    assert beta.threads.runs.steps.retrieve(step.id, thread_id=thread.id, run_id=run.id) == step
    assert run.usage.completion_tokens == step.usage.completion_tokens > 0


def test_create_and_run_poll_and_outputs(beta: Any, openai_client: OpenAI) -> None:
    assistant = beta.assistants.create(model="gpt-4o", tools=[WEATHER])
    run = beta.threads.create_and_run_poll(assistant_id=assistant.id, thread={"messages": HELLO})
    assert run.status == "requires_action"
    for _ in range(4):
        with another(openai_client) as other:
            again = other.threads.runs.retrieve(run.id, thread_id=run.thread_id)
            assert again == run
    done = beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs(run)
    )
    assert done.status == "completed"
    answer = next(iter(beta.threads.messages.list(run.thread_id)))
    assert answer.content[0].text.value == "get_weather returned: sunny: get_weather"


def test_streams_with_handlers(beta: Any) -> None:
    assistant = beta.assistants.create(model="gpt-4o", tools=[WEATHER])
    thread = beta.threads.create(messages=HELLO)
    handler = Recorder()
    with beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=handler
    ) as stream:
        run = stream.get_final_run()
        (step,) = stream.get_final_run_steps()
    assert run.status == "requires_action"
    (call,) = step.step_details.tool_calls
    required = run.required_action.submit_tool_outputs.tool_calls[0]
    assert (call.id, call.function.arguments) == (required.id, required.function.arguments)
    assert handler.calls == ["function created", "end"]
    handler = Recorder()
    with beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs(run), event_handler=handler
    ) as stream:
        run = stream.get_final_run()
        (message,) = stream.get_final_messages()
    assert run.status == "completed"
    assert message.content[0].text.value == handler.text
    assert handler.calls == [
        "step done", "text created", "text done", "message done", "step done", "end"
    ]  # fmt: skip
    stored = beta.threads.messages.retrieve(message.id, thread_id=thread.id)
    assert (stored.content, stored.status) == (message.content, "completed")


def test_create_and_run_stream(beta: Any) -> None:
    tools: Any = [{"type": "code_interpreter"}, {"type": "file_search"}]
    assistant = beta.assistants.create(model="gpt-4o", tools=tools)
    handler = Recorder()
    with beta.threads.create_and_run_stream(
        assistant_id=assistant.id, thread={"messages": HELLO}, event_handler=handler
    ) as stream:
        stream.until_done()
    assert handler.events[:3] == ["thread.created", "thread.run.created", "thread.run.queued"]
    assert handler.events[-1] == "thread.run.completed"
    created = [call for call in handler.calls if call.endswith("created")]
    # The SDK tells calls apart by their index, which begins anew with each step.
    assert created == ["code_interpreter created", "text created"]
    assert handler.calls.count("step done") == 3


def test_a_plain_stream(beta: Any) -> None:
    assistant = beta.assistants.create(model="gpt-4o")
    thread = beta.threads.create(messages=HELLO)
    events = beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id, stream=True)
    assert [event.event for event in events][-1] == "thread.run.completed"


def test_an_active_run_locks_its_thread_until_it_is_cancelled(
    beta: Any, openai_client: OpenAI
) -> None:
    assistant = beta.assistants.create(model="gpt-4o")
    thread = beta.threads.create(messages=HELLO)
    slow = {"x-llmsim-latency": "ttft_mean_ms=20000,tbt_mean_ms=0"}
    run = beta.threads.runs.create(
        thread_id=thread.id, assistant_id=assistant.id, extra_headers=slow
    )
    assert run.status == "queued"
    with another(openai_client) as other:
        with pytest.raises(openai.BadRequestError, match="while a run"):
            other.threads.messages.create(thread.id, role="user", content="more")
        with pytest.raises(openai.BadRequestError, match="already has an active run"):
            other.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id)
        assert other.threads.runs.cancel(run.id, thread_id=thread.id).status == "cancelling"
        run = other.threads.runs.poll(run.id, thread_id=thread.id)
        assert run.status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="Cannot cancel run"):
        beta.threads.runs.cancel(run.id, thread_id=thread.id)
    beta.threads.messages.create(thread.id, role="user", content="more")


@pytest.mark.timed
def test_a_stream_ends_when_its_run_is_cancelled_by_another_worker(
    beta: Any, openai_client: OpenAI
) -> None:
    assistant = beta.assistants.create(model="gpt-4o")
    slow = {"x-llmsim-latency": "ttft_mean_ms=50,tbt_mean_ms=200"}
    for _ in range(4):
        handler = Recorder()
        with beta.threads.create_and_run_stream(
            assistant_id=assistant.id,
            thread={"messages": HELLO},
            event_handler=handler,
            extra_headers=slow,
        ) as stream:
            for event in stream:
                if event.event == "thread.message.delta" and not handler.calls.count("cancel"):
                    handler.calls.append("cancel")
                    with another(openai_client) as other:
                        thread, name = stream.current_run.thread_id, stream.current_run.id
                        other.threads.runs.cancel(name, thread_id=thread)
        run = stream.get_final_run()
        assert run.status == "cancelled"
        assert handler.events[-4:] == [
            "thread.run.cancelling",
            "thread.message.incomplete",
            "thread.run.step.cancelled",
            "thread.run.cancelled",
        ]


def test_lists_to_the_end_in_both_orders_from_both_workers(openai_client: OpenAI) -> None:
    with another(openai_client) as beta:
        thread = beta.threads.create()
        texts = [str(number) for number in range(120)]
        for text in texts:
            beta.threads.messages.create(thread.id, role="user", content=text)
    for order in ("asc", "desc"):
        for _ in range(4):
            with another(openai_client) as beta:
                listed = [
                    message.content[0].text.value
                    for message in beta.threads.messages.list(thread.id, order=order, limit=50)
                ]
                assert listed == (texts if order == "asc" else texts[::-1])


def test_the_asynchronous_client(openai_async: AsyncOpenAI) -> None:
    class Handler(AsyncAssistantEventHandler):
        text = ""

        @override
        async def on_text_delta(self, delta: Any, snapshot: Any) -> None:
            self.text += delta.value

    async def scene() -> None:
        async with openai_async as client:
            beta: Any = client.beta
            assistant = await beta.assistants.create(model="gpt-4o")
            handler = Handler()
            async with beta.threads.create_and_run_stream(
                assistant_id=assistant.id, thread={"messages": HELLO}, event_handler=handler
            ) as stream:
                run = await stream.get_final_run()
            assert run.status == "completed"
            messages = await beta.threads.messages.list(run.thread_id)
            assert messages.data[0].content[0].text.value == handler.text

    asyncio.run(scene())
