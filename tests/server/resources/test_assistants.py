"""Assistants, threads, messages and runs, on every worker, at any time."""

from typing import Any

import orjson
import pytest
from openai._models import validate_type
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import Message, Run
from openai.types.beta.threads.runs import RunStep

from llmsim.core.errors import BadRequest, FailureKind
from llmsim.core.progress import CANCELLING
from llmsim.providers.openai.lists import Paging
from llmsim.server.resources import assistant_threads
from tests.server.assisting import PATIENCE, WEATHER, AssistantWorld, assisted, outputs

TEN = {"max_completion_tokens": 11}
"""A run that works for two seconds: its first token comes after one."""


def texts(messages: list[Any]) -> list[str]:
    return [
        f"{one['role']}: " + "".join(part["text"]["value"] for part in one["content"])
        for one in messages
    ]


def test_an_assistant_from_its_making_to_its_end() -> None:
    async def scene(world: AssistantWorld) -> None:
        name = await world.assistant(name="a", tools=[WEATHER], temperature=0.5)
        there = world.workers[1].assistants
        made = orjson.loads(await there.get(name))
        validate_type(type_=Assistant, value=made)
        assert (made["name"], made["temperature"], made["tools"]) == ("a", 0.5, [WEATHER])
        assert (made["instructions"], made["response_format"]) == (None, "auto")
        changed = orjson.loads(await there.update(name, {"name": None, "model": "gpt-5"}))
        assert changed == {**made, "name": None, "model": "gpt-5"}
        assert orjson.loads(await world.workers[0].assistants.get(name)) == changed
        deleted = orjson.loads(await there.delete(name))
        assert deleted == {"id": name, "object": "assistant.deleted", "deleted": True}
        for call in (there.get, there.delete):
            with pytest.raises(BadRequest, match=f"No assistant found with id '{name}'"):
                await call(name)

    assisted(scene)


def test_a_thread_and_its_messages() -> None:
    async def scene(world: AssistantWorld) -> None:
        name = await world.thread("one", "two")
        there = world.workers[1].threads
        validate_type(type_=Thread, value=orjson.loads(await there.get(name)))
        third = await world.add(name, "three")
        listed = await world.messages(name)
        assert texts(listed) == ["user: one", "user: two", "user: three"]
        for one in listed:
            validate_type(type_=Message, value=one)
        await there.update_message(name, third["id"], {"a": "b"})
        assert orjson.loads(await there.message(name, third["id"]))["metadata"] == {"a": "b"}
        await there.delete_message(name, listed[0]["id"])
        assert texts(await world.messages(name, 0)) == ["user: two", "user: three"]
        await there.delete(name)
        with pytest.raises(BadRequest, match="No thread found"):
            await world.messages(name, 0)
        other = await world.thread("x")
        with pytest.raises(BadRequest, match="No message found"):
            await there.message(other, third["id"])

    assisted(scene)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("worker", [0, 1])
def test_paging_to_the_end_and_back(newest_first: bool, worker: int) -> None:
    async def scene(world: AssistantWorld) -> None:
        every = [str(number) for number in range(45)]
        name = await world.thread(*every)
        threads = world.workers[worker].threads
        seen: list[str] = []
        pages = []
        after = None
        while True:
            paging = Paging(10, after, newest_first)
            page = orjson.loads(await threads.page(name, paging))
            pages.append([one["id"] for one in page["data"]])
            seen += [one["content"][0]["text"]["value"] for one in page["data"]]
            assert (page["first_id"], page["last_id"]) == (pages[-1][0], pages[-1][-1])
            if not page["has_more"]:
                break
            after = page["last_id"]
        assert seen == (every[::-1] if newest_first else every)
        for place in range(len(pages) - 1, 0, -1):
            paging = Paging(10, None, newest_first, pages[place][0])
            page = orjson.loads(await threads.page(name, paging))
            assert [one["id"] for one in page["data"]] == pages[place - 1]
            assert page["has_more"] == (place > 1)
        with pytest.raises(BadRequest, match="No message found with id 'msg_x'"):
            await threads.page(name, Paging(after="msg_x"))

    assisted(scene)


def test_a_run_moves_by_the_clock_alone() -> None:
    async def scene(world: AssistantWorld) -> None:
        name = await world.thread("hi")
        run = await world.create_run(await world.assistant(instructions="Be brief."), name, **TEN)
        validate_type(type_=Run, value=run)
        assert (run["status"], run["instructions"]) == ("queued", "Be brief.")
        start = world.now
        for elapsed, status, messages, steps in (
            (0.5, "queued", 1, []),
            (1.5, "in_progress", 2, ["in_progress"]),
            (2.1, "incomplete", 2, ["completed"]),
            (1e6, "incomplete", 2, ["completed"]),
        ):
            world.now = start + elapsed
            for worker in (0, 1):
                now = await world.run(name, run["id"], worker)
                validate_type(type_=Run, value=now)
                assert now["status"] == status
                assert len(await world.messages(name, worker)) == messages
                listed = await world.steps(name, run["id"], worker)
                assert [one["status"] for one in listed] == steps
                for one in listed:
                    validate_type(type_=RunStep, value=one)
        assert now["incomplete_details"] == {"reason": "max_completion_tokens"}
        assert now["usage"]["completion_tokens"] == 11
        message = (await world.messages(name))[-1]
        validate_type(type_=Message, value=message)
        assert (message["run_id"], message["status"]) == (run["id"], "incomplete")
        assert message["content"][0]["text"]["value"]

    assisted(scene)


def test_an_active_run_locks_its_thread() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant()
        run = await world.create_run(assistant, name)
        with pytest.raises(
            BadRequest, match=f"Can't add messages to {name} while a run {run['id']}"
        ):
            await world.add(name, "more", 1)
        with pytest.raises(BadRequest, match=f"already has an active run {run['id']}"):
            await world.create_run(assistant, name, 1)
        world.now += 100
        await world.add(name, "more", 1)
        await world.create_run(assistant, name, 1)
        assert world.plans[-1].completion is not None
        assert world.plans[-1].completion.usage.prompt > 100

    assisted(scene)


def test_outputs_let_a_run_go_on() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant(tools=[WEATHER])
        run = await world.create_run(assistant, name)
        with pytest.raises(BadRequest, match='Runs in status "queued" do not accept'):
            await world.submit(name, run["id"], {})
        world.now += 30
        run = await world.run(name, run["id"])
        assert run["status"] == "requires_action"
        validate_type(type_=Run, value=run)
        assert [one["status"] for one in await world.steps(name, run["id"])] == ["in_progress"]
        with pytest.raises(BadRequest, match="Expected tool outputs for call_ids"):
            await world.submit(name, run["id"], {})
        with pytest.raises(BadRequest, match="Expected tool outputs for call_ids"):
            await world.submit(name, run["id"], {**outputs(run), "call_x": ""})
        again = await world.submit(name, run["id"], outputs(run), 1)
        assert (again["status"], again["id"]) == ("queued", run["id"])
        world.now += 30
        run = await world.run(name, run["id"])
        assert run["status"] == "completed"
        assert texts(await world.messages(name))[1:] == ["assistant: weather returned: sunny"]
        tool, message = await world.steps(name, run["id"])
        assert tool["step_details"]["tool_calls"][0]["function"]["output"] == "sunny"
        assert (tool["status"], message["status"]) == ("completed", "completed")
        total = sum(one["usage"]["total_tokens"] for one in (tool, message))
        assert run["usage"]["total_tokens"] == total

    assisted(scene)


def test_a_run_that_waits_in_vain_expires() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant(tools=[WEATHER])
        run = await world.create_run(assistant, name)
        world.now += 30
        run = await world.run(name, run["id"])
        assert run["expires_at"] == pytest.approx(world.now - 30 + PATIENCE, abs=5)
        world.now += PATIENCE
        with pytest.raises(BadRequest, match='"expired"'):
            await world.submit(name, run["id"], outputs(run))
        assert (await world.run(name, run["id"]))["status"] == "expired"
        assert [one["status"] for one in await world.steps(name, run["id"])] == ["expired"]
        await world.add(name, "more")

    assisted(scene)


@pytest.mark.parametrize(("elapsed", "messages", "steps"), [(0.5, 1, []), (1.5, 2, ["cancelled"])])
def test_cancelling(elapsed: float, messages: int, steps: list[str]) -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant()
        run = await world.create_run(assistant, name, **TEN)
        world.now += elapsed
        cancelled = await world.cancel(name, run["id"])
        assert cancelled["status"] == "cancelling"
        with pytest.raises(BadRequest, match="Cannot cancel run with status 'cancelling'"):
            await world.cancel(name, run["id"])
        world.now += CANCELLING
        run = await world.run(name, run["id"], 0)
        assert run["status"] == "cancelled"
        assert run["cancelled_at"] is not None
        listed = await world.messages(name)
        assert len(listed) == messages
        if messages > 1:
            assert listed[-1]["incomplete_details"] == {"reason": "run_cancelled"}
        assert [one["status"] for one in await world.steps(name, run["id"])] == steps
        with pytest.raises(BadRequest, match="Cannot cancel run with status 'cancelled'"):
            await world.cancel(name, run["id"])

    assisted(scene)


def test_the_prompt_is_the_instructions_and_the_thread() -> None:
    async def scene(world: AssistantWorld) -> None:
        name = await world.thread("one two three", "four five six")
        assistant = await world.assistant(instructions="Be brief.")

        async def prompt(**members: Any) -> int:
            await world.create_run(assistant, name, **members)
            world.now += 100
            completion = world.plans[-1].completion
            assert completion is not None
            for message in (await world.messages(name))[2:]:
                await world.workers[0].threads.delete_message(name, message["id"])
            return completion.usage.prompt

        plain = await prompt()
        assert await prompt(instructions="") < plain
        assert await prompt(additional_instructions="And polite, too.") > plain
        more = [{"role": "user", "content": "seven"}]
        assert await prompt(additional_messages=more) > plain
        last = {"type": "last_messages", "last_messages": 1}
        assert await prompt(truncation_strategy=last) < plain
        assert await prompt(max_prompt_tokens=plain - 1) < plain

    assisted(scene)


def test_a_prompt_that_cannot_be_short_enough() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("one two three"), await world.assistant()
        run = await world.create_run(assistant, name, max_prompt_tokens=1)
        world.now += 100
        run = await world.run(name, run["id"])
        assert run["incomplete_details"] == {"reason": "max_prompt_tokens"}
        assert await world.steps(name, run["id"]) == []

    assisted(scene)


def test_the_oldest_threads_go_first_with_all_they_have() -> None:
    async def scene(world: AssistantWorld) -> None:
        assistant = await world.assistant()
        names = []
        for _ in range(30):
            names.append(await world.thread("a", "b"))
            await world.create_run(assistant, names[-1])
        kept = await world.workers[1].store.list("thread", limit=100)
        assert 5 <= len(kept) < 10
        for kind, each in (("message", 3), ("run", 1)):
            count = 0
            for name in names:
                count += len(await world.workers[1].store.list(kind, name))
            assert count == each * len(kept)

    assisted(scene, most=5)


@pytest.mark.parametrize("missing", ["assistant", "thread", "run"])
def test_what_is_not_there(missing: str) -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant()
        calls = {
            "assistant": lambda: world.create_run("asst_x", name),
            "thread": lambda: world.create_run(assistant, "thread_x"),
            "run": lambda: world.submit(name, "run_x", {}),
        }
        with pytest.raises(BadRequest) as caught:
            await calls[missing]()
        assert caught.value.failure.kind is FailureKind.NOT_FOUND

    assisted(scene)


def test_a_polled_run_can_fail() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant()
        run = await world.create_run(assistant, name, **TEN)
        world.now += 100
        run = await world.run(name, run["id"])
        validate_type(type_=Run, value=run)
        assert run["status"] == "failed"
        assert run["last_error"]["code"] == "server_error"
        assert [one["status"] for one in await world.steps(name, run["id"])] == ["failed"]
        assert (await world.messages(name))[-1]["incomplete_details"] == {"reason": "run_failed"}
        await world.add(name, "more")

    fault = "{model: '*', fault: {error_event: {after_tokens: 5}}}"
    assisted(scene, f"errors: {{rules: [{fault}]}}\n")


def test_mocks_say_what_a_run_writes() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("what weather?"), await world.assistant()
        await world.create_run(assistant, name)
        world.now += 100
        assert texts(await world.messages(name))[-1] == "assistant: Sunny."

    mock = "{match: {content_contains: weather}, response: {content: Sunny.}}"
    assisted(scene, f"mocks: [{mock}]\n")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("errors: {rules: [{endpoint: /v1/threads/runs, kind: rate_limit}]}", "rate_limit"),
        ("rate_limits: [{key: '*', model: gpt-4o, requests_per_minute: 1}]", "rate_limit"),
        ("models: {available: [gpt-5], unknown: reject}", "model_not_found"),
    ],
)
def test_a_run_can_be_refused(text: str, kind: str) -> None:
    async def scene(world: AssistantWorld) -> None:
        assistant = await world.assistant()
        name = await world.thread("hi")
        if "minute" in text:
            await world.create_run(assistant, await world.thread("hi"))
        with pytest.raises(BadRequest) as caught:
            await world.create_run(assistant, name)
        assert caught.value.failure.kind.value == kind
        assert await world.workers[1].store.list("run", name) == []

    assisted(scene, text + "\n")


def test_a_refusal_is_a_message() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant()
        await world.create_run(assistant, name)
        world.now += 100
        (part,) = (await world.messages(name))[-1]["content"]
        assert part == {"type": "refusal", "refusal": "No."}

    assisted(scene, "response: {refusal_rate: 1, refusal: No.}\n")


def test_metadata_of_runs_and_their_messages() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant(tools=[WEATHER])
        run = await world.create_run(assistant, name, metadata={"a": "b"})
        assert run["metadata"] == {"a": "b"}
        runs = world.workers[1].runs
        changed = orjson.loads(await runs.update(name, run["id"], {"c": "d"}))
        assert changed["metadata"] == {"c": "d"}
        world.now += 30
        waiting = await world.run(name, run["id"])
        await world.submit(name, run["id"], outputs(waiting))
        assert (await world.run(name, run["id"]))["metadata"] == {"c": "d"}
        world.now += 30
        message = (await world.messages(name))[-1]
        threads = world.workers[0].threads
        await threads.update_message(name, message["id"], {"e": "f"})
        assert (await world.messages(name))[-1] == {**message, "metadata": {"e": "f"}}
        listed = orjson.loads(await threads.page(name, Paging(), run["id"]))
        assert [one["id"] for one in listed["data"]] == [message["id"]]

    assisted(scene)


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_of_runs_and_steps(newest_first: bool) -> None:
    async def scene(world: AssistantWorld) -> None:
        tools = [{"type": "code_interpreter"}, {"type": "file_search"}]
        name, assistant = await world.thread("hi"), await world.assistant(tools=tools)
        made = []
        for _ in range(5):
            made.append((await world.create_run(assistant, name))["id"])
            world.now += 100
        expected = made[::-1] if newest_first else made
        runs = world.workers[1].runs
        page = orjson.loads(await runs.page(name, Paging(2, None, newest_first)))
        rest = orjson.loads(await runs.page(name, Paging(9, page["last_id"], newest_first)))
        assert [one["id"] for one in [*page["data"], *rest["data"]]] == expected
        steps = [one["id"] for one in await world.steps(name, made[0])]
        assert len(steps) == 3
        order = steps[::-1] if newest_first else steps
        for paging, shown in (
            (Paging(2, None, newest_first), order[:2]),
            (Paging(9, order[0], newest_first), order[1:]),
            (Paging(1, None, newest_first, order[2]), order[1:2]),
        ):
            listed = orjson.loads(await runs.steps(name, made[0], paging, False))
            assert [one["id"] for one in listed["data"]] == shown
        found = orjson.loads(await runs.step(name, made[0], steps[1], True))
        (call,) = found["step_details"]["tool_calls"]
        assert call["file_search"]["results"][0]["content"][0]["text"]
        for missing in (
            runs.step(name, made[0], "step_x", False),
            runs.steps(name, made[0], Paging(before="step_x"), False),
        ):
            with pytest.raises(BadRequest, match="step_x"):
                await missing

    assisted(scene)


def test_a_thread_has_so_many_messages_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant_threads, "MOST_MESSAGES", 2)

    async def scene(world: AssistantWorld) -> None:
        thread = await world.thread("a")
        await world.add(thread, "b")
        with pytest.raises(BadRequest, match="may not have more than 2 messages"):
            await world.add(thread, "c")
        assert len(await world.messages(thread)) == 2
        await world.add(await world.thread(), "a")  # another thread has room
        with pytest.raises(BadRequest, match="may not have more than 2 messages"):
            await world.thread("a", "b", "c")

    assisted(scene)
