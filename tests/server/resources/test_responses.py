"""What requests for responses build on: earlier ones, conversations, items by reference."""

from typing import Any

import orjson
import pytest

from llmsim.core import Stamp
from llmsim.core.errors import BadRequest, FailureKind
from llmsim.pipeline.context import Call
from llmsim.providers.openai.provider import responses_endpoint
from llmsim.providers.openai.responses.encrypted_content import decrypted
from llmsim.server.resources.responses import COMPACTED, MOST_TURNS
from tests.server.responding import World, living

TOOL = {
    "type": "function",
    "name": "f",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
}


def said(response: dict[str, Any]) -> str:
    text: str = response["output"][0]["content"][0]["text"]
    return text


def heard(world: World) -> list[tuple[str, str]]:
    """The latest request's messages."""
    return [(message.role, message.text) for message in world.asked[-1].messages]


async def refused(world: World, **fields: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        await world.create(**fields)
    return caught.value


def test_a_conversation_over_both_workers() -> None:
    async def scene(world: World) -> None:
        one = await world.create(0, input="a", instructions="Not for the others.")
        two = await world.create(1, input="b", previous_response_id=one["id"])
        await world.create(0, input="c", previous_response_id=two["id"], instructions="Be brief.")
        assert heard(world) == [
            ("system", "Be brief."),
            ("user", "a"),
            ("assistant", said(one)),
            ("user", "b"),
            ("assistant", said(two)),
            ("user", "c"),
        ]

    living(scene)


def test_a_loop_of_tools_ends() -> None:
    async def scene(world: World) -> None:
        latest = await world.create(tools=[TOOL], input="go")
        rounds = 0
        while calls := [item for item in latest["output"] if item["type"] == "function_call"]:
            rounds += 1
            assert rounds < 5
            assert isinstance(orjson.loads(calls[0]["arguments"])["a"], int)
            results = [
                {"type": "function_call_output", "call_id": call["call_id"], "output": "42"}
                for call in calls
            ]
            latest = await world.create(
                rounds % 2, tools=[TOOL], input=results, previous_response_id=latest["id"]
            )
        assert rounds
        assert "42" in said(latest)

    living(scene)


def test_calls_and_outputs_fit_over_several_responses() -> None:
    async def scene(world: World) -> None:
        call = await world.create(tools=[TOOL], tool_choice="required")
        name = call["id"]
        bad = await refused(world, input="never mind", previous_response_id=name)
        call_id = call["output"][0]["call_id"]
        assert bad.failure.message == f"No tool output found for function call {call_id}."
        other = {"type": "function_call_output", "call_id": "call_x", "output": ""}
        bad = await refused(world, input=[other], previous_response_id=name)
        assert "No tool call found" in bad.failure.message

    living(scene)


@pytest.mark.parametrize(
    "name",
    ["resp_x", "previous_response_id", "resp_677efb5139a88190b512bc3fef8e535d", ""],
)
def test_a_response_that_is_not_there(name: str) -> None:
    async def scene(world: World) -> None:
        failure = (await refused(world, previous_response_id=name)).failure
        assert failure.kind is FailureKind.INVALID
        assert failure.code == "previous_response_not_found"
        assert failure.param == "previous_response_id"
        assert name in failure.message

    living(scene)


def test_deleted_and_unstored_responses_are_not_continued() -> None:
    async def scene(world: World) -> None:
        one = await world.create()
        two = await world.create(previous_response_id=one["id"])
        await world.archive.delete(one["id"])
        await refused(world, previous_response_id=one["id"])
        assert await world.create(previous_response_id=two["id"]), "what was heard stays heard"
        unstored = await world.create(store=False)
        await refused(world, previous_response_id=unstored["id"])

    living(scene)


def test_a_connection_continues_its_own_latest_response() -> None:
    async def scene(world: World) -> None:
        one = await world.create(store=False, input="a", unstored="")
        mine = one["id"]
        await refused(world, previous_response_id=mine)
        two = await world.create(store=False, input="b", previous_response_id=mine, unstored=mine)
        await world.create(previous_response_id=two["id"], input="c", unstored=two["id"])
        assert [text for role, text in heard(world) if role == "user"] == ["a", "b", "c"]

    living(scene)


def test_a_chain_has_an_end() -> None:
    async def scene(world: World) -> None:
        latest = await world.create(max_output_tokens=1)
        for _ in range(MOST_TURNS - 1):
            journal = world.journals[0]
            number = journal.reserve()
            body = orjson.dumps({"input": "x", "previous_response_id": latest["id"]})
            answer = orjson.dumps({"output": []})
            journal.begin(number, "/v1/responses", "m", body, 0.0, (0.0, 0.0), 1, 7, answer)
            latest = {"id": f"resp_0f1e68{journal.mark(number)}"}
        longest = await world.create(previous_response_id=latest["id"], max_output_tokens=1)
        await refused(world, previous_response_id=longest["id"])

    living(scene)


def test_items_by_reference() -> None:
    async def scene(world: World) -> None:
        one = await world.create(
            1, input=[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
        )
        (answer,) = one["output"]
        listed = await world.archive.find(one["id"])
        assert listed
        mark = one["id"][-26:]
        references = [
            {"type": "item_reference", "id": answer["id"]},
            {"id": f"msg_800001{mark}"},
            {"role": "user", "content": "c"},
        ]
        await world.create(input=references)
        assert heard(world) == [("assistant", said(one)), ("user", "b"), ("user", "c")]

    living(scene)


@pytest.mark.parametrize("stored", [True, False])
def test_references_to_nothing(stored: bool) -> None:
    async def scene(world: World) -> None:
        one = await world.create(store=False, unstored="")
        mark = one["id"][-26:]
        name = f"msg_00000a{mark}" if stored else one["output"][0]["id"]
        failure = (await refused(world, input=[{"type": "item_reference", "id": name}])).failure
        assert (failure.kind, failure.param) == (FailureKind.NOT_FOUND, "input")
        assert name in failure.message

    living(scene)


def test_a_conversation_keeps_what_is_said() -> None:
    async def scene(world: World) -> None:
        items = [{"role": "user", "content": "a"}]
        name = orjson.loads(await world.conversations.create(None, items))["id"]
        one = await world.create(conversation=name, input="b")
        two = await world.create(1, conversation={"id": name}, input="c", store=False)
        await world.create(conversation=name, input="d", stream=True)
        assert heard(world) == [
            ("user", "a"),
            ("user", "b"),
            ("assistant", said(one)),
            ("user", "c"),
            ("assistant", said(two)),
            ("user", "d"),
        ]
        assert len(await world.conversations.items(name)) == 7
        failure = (await refused(world, conversation="conv_1")).failure
        assert (failure.kind, "conv_1" in failure.message) == (FailureKind.NOT_FOUND, True)

    living(scene)


def test_truncation_leaves_out_the_beginning() -> None:
    async def scene(world: World) -> None:
        words = "word " * 20_000
        items = [{"role": "user", "content": f"{place} {words}"} for place in range(8)]
        failure = (await refused(world, input=items)).failure
        assert failure.kind is FailureKind.CONTEXT_LENGTH
        await world.create(input=items, truncation="auto", instructions="Be brief.")
        messages = world.asked[-1].messages
        assert messages[0].text == "Be brief."
        assert [message.text[0] for message in messages[1:]] == ["2", "3", "4", "5", "6", "7"]

    living(scene)


def test_counting_is_what_usage_tells() -> None:
    async def scene(world: World) -> None:
        one = await world.create(input="a", instructions="Be brief.", tools=[TOOL])
        body = {"model": "gpt-4o", "input": "a", "instructions": "Be brief.", "tools": [TOOL]}
        counted = orjson.loads(await world.responses.input_tokens(orjson.dumps(body)))
        assert counted["input_tokens"] == one["usage"]["input_tokens"]
        call = one["output"][0]["call_id"]
        output = {"type": "function_call_output", "call_id": call, "output": "42"}
        more = {"input": [output], "previous_response_id": one["id"]}
        two = await world.create(**more)
        counted = orjson.loads(
            await world.responses.input_tokens(orjson.dumps({"model": "gpt-4o", **more}))
        )
        assert counted["input_tokens"] == two["usage"]["input_tokens"]
        assert orjson.loads(await world.responses.input_tokens(b""))["input_tokens"] > 0

    living(scene)


def test_compacting() -> None:
    async def scene(world: World) -> None:
        one = await world.create(input="tell me of whales")
        body = orjson.dumps({"model": "gpt-4o", "previous_response_id": one["id"], "input": "go"})
        stamp = Stamp("f" * 26, 5)
        made = orjson.loads(await world.responses.compact(body, stamp))
        text = decrypted(made["output"][0]["encrypted_content"])
        assert text.startswith("user: go\nassistant: ")
        assert text.endswith("user: tell me of whales")
        tokenizer = (await world.settings("gpt-4o")).tokenizer
        assert made["usage"]["output_tokens"] == tokenizer.count(text)
        await world.create(input=[*made["output"], {"role": "user", "content": "more"}])
        assert heard(world) == [("assistant", text), ("user", "more")]
        long = orjson.dumps({"model": "gpt-4o", "input": "word " * 5000})
        made = orjson.loads(await world.responses.compact(long, stamp))
        assert made["usage"]["output_tokens"] <= COMPACTED
        assert made["usage"]["input_tokens"] > 5000

    living(scene)


def test_only_plain_answers_in_the_background_are_put_off() -> None:
    async def scene(world: World) -> None:
        await world.create()
        for fields, put_off in (
            ({}, False),
            ({"background": True}, True),
            ({"background": True, "stream": True}, False),
        ):
            body = orjson.dumps({"model": "gpt-4o", "input": "hi", **fields})
            request = world.codec.decode(body)
            endpoint = responses_endpoint(world.codec)
            call = Call(endpoint, None, Stamp("f" * 26, 5), body, request=request)
            first = await world.responses.keep(call, world.planned[-1], b'{"output":[]}')
            assert (first is not None) == put_off
            if first is not None:
                assert orjson.loads(first)["status"] == "queued"

    living(scene)
