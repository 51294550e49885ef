"""Answers of a model under load, in one process: heads, journal, and the place they take."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pytest

from llmsim.config import Config, JournalSettings, Response, Server
from llmsim.core.catalog.distribution import Distribution
from llmsim.core.generator import GeneratorChoice
from llmsim.core.latency import Latency, LatencyRule
from llmsim.core.load.step_cost import Load
from llmsim.state.shm.request_details import decoded
from llmsim.state.shm.step_clocks import ClockStatus
from tests.server.in_process import Answer, InProcess

ACCEPT = 0.005
RULE = LatencyRule(
    None, ttft=Distribution(0.03), itl=Distribution(0.01), accept=ACCEPT, load=Load((11, 0.02))
)
CONFIG = Config(
    Server(workers=1, journal_mb=1),
    response=Response(GeneratorChoice("lorem"), 5),
    latency=Latency(RULE),
)
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
MESSAGES = {"model": "claude-opus-4-5", "max_tokens": 50, "messages": CHAT["messages"]}


def statuses(server: InProcess) -> list[ClockStatus]:
    return list(server.shared.step_clocks.statuses(time.monotonic()))


def ask(server: InProcess, path: str, body: dict[str, Any]) -> Any:
    return server.post(path, orjson.dumps(body), {})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {**CHAT, "stream": True}),
        ("/v1/messages", {**MESSAGES, "stream": True}),
    ],
)
def test_the_journal_says_when_each_frame_was_due(path: str, body: dict[str, Any]) -> None:
    async def scenario() -> None:
        config = replace(CONFIG, journal=JournalSettings(0, frames=True))
        with InProcess(config) as server:
            await ask(server, path, body)
            (entry,) = server.shared.latest(1)
            details = decoded(entry.details)
            assert details is not None
            due, left = details.due_times(), details.left_times()
            assert len(due) == len(left) == entry.sent
            assert due == sorted(due)
            assert due[-1] == pytest.approx(entry.planned_total, abs=1e-6)
            assert min(after - before for before, after in zip(due, left, strict=True)) > -0.002

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("path", "body", "timing"),
    [
        ("/v1/chat/completions", CHAT, ["ttft", "total"]),
        ("/v1/chat/completions", {**CHAT, "stream": True}, ["ttft"]),
        ("/v1/messages", MESSAGES, ["ttft", "total"]),
        ("/v1/messages", {**MESSAGES, "stream": True}, []),
        ("/v1/responses", {"model": "gpt-4o", "input": "hi", "stream": True}, []),
    ],
)
def test_what_the_head_knows(path: str, body: dict[str, Any], timing: list[str]) -> None:
    async def scenario() -> None:
        with InProcess(CONFIG) as server:
            answer: Answer = await ask(server, path, body)
            assert answer.status == 200
            shown = answer.head.get("server-timing", "")
            assert [part.partition(";")[0].strip() for part in shown.split(",") if part] == timing
            (entry,) = server.shared.latest(1)
            assert entry.first is not None
            assert entry.end is not None
            assert entry.lateness is not None
            assert entry.planned_ttft >= ACCEPT
            assert entry.planned_total <= entry.end
            assert entry.end - entry.planned_total <= entry.lateness + 0.002
            for name, planned in (("ttft", entry.planned_ttft), ("total", entry.planned_total)):
                if name in timing:
                    said = float(shown.partition(f"{name};dur=")[2].partition(",")[0])
                    assert said == pytest.approx(planned * 1e3, abs=1.5)
            (status,) = statuses(server)
            assert (status.running, status.waiting) == (0, 0)

    asyncio.run(scenario())


def test_answers_that_are_asked_for_together_share_steps() -> None:
    async def scenario() -> None:
        with InProcess(CONFIG) as server:
            await ask(server, "/v1/chat/completions", CHAT)  # everything is built
            await ask(server, "/v1/chat/completions", CHAT)
            (alone,) = server.shared.latest(1)
            await asyncio.gather(*(ask(server, "/v1/chat/completions", CHAT) for _ in range(11)))
            spans = [entry.planned_total - entry.planned_ttft for entry in server.shared.latest(11)]
            assert alone.planned_total - alone.planned_ttft == pytest.approx(0.04, abs=0.006)
            assert max(spans) > 0.06

    asyncio.run(scenario())


def test_an_answer_that_nobody_waits_for_takes_its_place() -> None:
    async def scenario() -> None:
        with InProcess(CONFIG) as server:
            answer = await ask(
                server, "/v1/responses", {"model": "gpt-4o", "input": "hi", "background": True}
            )
            assert json.loads(answer.body)["status"] in ("queued", "in_progress")
            deadline = time.monotonic() + 5
            while not (found := statuses(server)):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.005)
            assert found[0].model == "gpt-4o"

    asyncio.run(scenario())


def test_how_far_a_background_response_has_come_follows_the_steps() -> None:
    """Where one answer runs at a time, the second one is queued until the first has ended."""
    rule = replace(RULE, load=Load((11, 0.02), max_sequences=1))
    config = replace(CONFIG, latency=Latency(rule), response=Response(GeneratorChoice("lorem"), 30))

    async def scenario() -> None:
        with InProcess(config) as server:
            asked = {"model": "gpt-4o", "input": "hi", "background": True}
            names = [
                json.loads((await ask(server, "/v1/responses", asked)).body)["id"] for _ in range(2)
            ]
            seen: list[tuple[str, ...]] = []
            deadline = time.monotonic() + 20
            while not seen or seen[-1] != ("completed", "completed"):
                assert time.monotonic() < deadline
                found = [await server.ask("GET", f"/v1/responses/{one}", b"", {}) for one in names]
                now = tuple(json.loads(one.body)["status"] for one in found)
                if not seen or seen[-1] != now:
                    seen.append(now)
                await asyncio.sleep(0.002)
            second, first = server.shared.latest(2)
            order = ["queued", "in_progress", "completed"]
            places = [[order.index(status) for status in pair] for pair in seen]
            assert places == sorted(places)
            began = second.arrived - first.arrived
            assert began + second.planned_ttft >= first.planned_total
            assert second.planned_total - second.planned_ttft == pytest.approx(0.29, rel=0.3)

    asyncio.run(scenario())


def test_a_batch_ends_with_its_last_request() -> None:
    """Where one answer runs at a time, one after the other."""
    rule = replace(RULE, load=Load((11, 0.02), max_sequences=1))
    config = replace(CONFIG, latency=Latency(rule), response=Response(GeneratorChoice("lorem"), 30))
    requests = [{"custom_id": str(place), "params": MESSAGES} for place in range(4)]
    path = "/v1/messages/batches"

    async def scenario() -> None:
        with InProcess(config) as server:
            batch = json.loads((await ask(server, path, {"requests": requests})).body)
            deadline = time.monotonic() + 30
            while batch["processing_status"] != "ended":
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
                found = await server.ask("GET", f"{path}/{batch['id']}", b"", {})
                batch = json.loads(found.body)
            created, ended = (
                datetime.fromisoformat(batch[key]).timestamp() for key in ("created_at", "ended_at")
            )
            assert ended - created > 4 * 0.29
            assert ended - created < time.monotonic() - deadline + 30 + 0.1
            assert batch["request_counts"]["succeeded"] == 4
            ends = [entry.arrived + entry.planned_total for entry in server.shared.latest(4)]
            assert max(ends) == pytest.approx(ended, abs=0.1)
            (status,) = statuses(server)
            assert (status.running, status.waiting) == (0, 0)

    asyncio.run(scenario())


def test_how_far_a_run_has_come_follows_the_steps() -> None:
    rule = replace(RULE, load=Load((11, 0.02), max_sequences=1))
    config = replace(CONFIG, latency=Latency(rule), response=Response(GeneratorChoice("lorem"), 30))

    async def scenario() -> None:
        with InProcess(config) as server:

            async def post(path: str, **fields: Any) -> Any:
                return json.loads((await ask(server, path, fields)).body)

            assistant = await post("/v1/assistants", model="gpt-4o")
            runs = [
                await post(
                    "/v1/threads/runs", assistant_id=assistant["id"], thread={"messages": []}
                )
                for _ in range(3)
            ]
            order = ["queued", "in_progress", "completed"]
            places = [0, 0, 0]
            deadline = time.monotonic() + 30
            while places != [2, 2, 2]:
                assert time.monotonic() < deadline
                for number, run in enumerate(runs):
                    path = f"/v1/threads/{run['thread_id']}/runs/{run['id']}"
                    runs[number] = json.loads((await server.ask("GET", path, b"", {})).body)
                    now = order.index(runs[number]["status"])
                    assert now >= places[number]
                    places[number] = now
                await asyncio.sleep(0.005)
            ends = [run["completed_at"] for run in runs]
            assert ends == sorted(ends)
            assert time.monotonic() - deadline + 30 >= 3 * 0.29
            steps = [
                json.loads((await server.ask("GET", f"{where}/steps", b"", {})).body)["data"]
                for run in runs
                for where in [f"/v1/threads/{run['thread_id']}/runs/{run['id']}"]
            ]
            assert [len(one) for one in steps] == [1, 1, 1]

    asyncio.run(scenario())


def test_embeddings_take_no_part() -> None:
    async def scenario() -> None:
        with InProcess(CONFIG) as server:
            model = "text-embedding-3-small"
            answer = await ask(server, "/v1/embeddings", {"model": model, "input": "hi"})
            assert answer.status == 200
            assert statuses(server) == []

    asyncio.run(scenario())
