"""Responses that were sent: found by their ids, and what became of them since."""

from typing import Any

import orjson
import pytest

from llmsim.core.errors import BadRequest, Failure, FailureKind
from tests.server.responding import World, living


async def status(world: World, name: str) -> str:
    told: str = orjson.loads((await world.archive.find(name)).body)["status"]
    return told


async def failure(world: World, name: str) -> Failure | None:
    """Why a response is not found; None if it is."""
    try:
        await world.archive.find(name)
    except BadRequest as bad:
        return bad.failure
    return None


def not_found(name: str) -> Failure:
    return Failure(FailureKind.NOT_FOUND, f"Response with id '{name}' not found.")


@pytest.mark.parametrize("worker", [0, 1])
@pytest.mark.parametrize("stream", [False, True])
def test_any_worker_tells_what_was_sent(worker: int, stream: bool) -> None:
    async def scene(world: World) -> None:
        sent = await world.create(worker, stream=stream)
        world.now += 60
        assert orjson.loads((await world.archive.find(sent["id"])).body) == sent

    living(scene)


def test_what_is_not_there() -> None:
    async def scene(world: World) -> None:
        sent = await world.create()
        name = sent["id"]
        mark = name[-26:]
        unstored = await world.create(store=False)
        holder = await world.create(store=False, unstored="a connection")
        other = await world.create(endpoint="/v1/chat/completions")
        for one in (
            "",
            "resp_",
            "resp_677efb5139a88190b512bc3fef8e535d",
            mark,
            f"chatcmpl-{mark}",
            f"resp_{mark}",
            f"resp_000000{mark}",
            name + "0",
            unstored["id"],
            holder["id"],
            other["id"],
        ):
            assert await failure(world, one) == not_found(one)
        assert await failure(world, name) is None

    living(scene)


@pytest.mark.parametrize(
    ("share", "background", "expected"),
    [
        (-0.5, True, "queued"),
        (0.0, True, "queued"),
        (0.5, True, "queued"),
        (1.5, True, "in_progress"),
        (0.5, False, "in_progress"),
        (1.5, False, "in_progress"),
        (2.5, True, "completed"),
        (2.5, False, "completed"),
    ],
)
def test_how_far_it_has_come_follows_from_the_clock(
    share: float, background: bool, expected: str
) -> None:
    """``share`` counts from 0, arrival, over 1, the first token, to 2, the last."""

    async def scene(world: World) -> None:
        sent = await world.create(background=background)
        (planned,) = world.planned
        assert 0 < planned.ttft < planned.total
        first, rest = min(share, 1.0), max(share - 1.0, 0.0)
        world.now += first * planned.ttft + rest * (planned.total - planned.ttft)
        kept = await world.archive.find(sent["id"])
        told = orjson.loads(kept.body)
        assert told["status"] == expected
        assert (told["output"] == []) == (expected != "completed")
        assert kept.elapsed >= 0

    living(scene)


def test_a_deleted_response_is_gone() -> None:
    async def scene(world: World) -> None:
        one, other = await world.create(), await world.create(1)
        told = orjson.loads(await world.archive.delete(one["id"]))
        assert told == {"id": one["id"], "object": "response", "deleted": True}
        assert await failure(world, one["id"]) == not_found(one["id"])
        assert await failure(world, other["id"]) is None
        with pytest.raises(BadRequest):
            await world.archive.delete(one["id"])

    living(scene)


def test_a_response_in_the_background_can_be_cancelled() -> None:
    async def scene(world: World) -> None:
        sent = await world.create(background=True)
        told = orjson.loads(await world.archive.cancel(sent["id"]))
        assert (told["status"], told["output"]) == ("cancelled", [])
        world.now += 60
        assert await status(world, sent["id"]) == "cancelled"
        again = orjson.loads(await world.archive.cancel(sent["id"]))
        assert again == told

    living(scene)


def test_cancelling_what_has_ended_changes_nothing() -> None:
    async def scene(world: World) -> None:
        sent = await world.create(background=True)
        world.now += 60
        assert orjson.loads(await world.archive.cancel(sent["id"])) == sent
        assert await status(world, sent["id"]) == "completed"

    living(scene)


@pytest.mark.parametrize("fields", [{}, {"background": False}, {"stream": True}])
def test_others_can_not_be_cancelled(fields: dict[str, Any]) -> None:
    async def scene(world: World) -> None:
        sent = await world.create(**fields)
        with pytest.raises(BadRequest, match="synchronous"):
            await world.archive.cancel(sent["id"])

    living(scene)
