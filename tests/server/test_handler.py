"""One request answered in one worker, with a client, a scheduler and a clock of the test's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec import structs

from llmsim.core import Headers, Plan, Request
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.state import StoreError
from llmsim.engine.plan import WholeFrame
from llmsim.pipeline.context import Call
from llmsim.pipeline.steps.rate_limits import LimitHold
from llmsim.providers import registry
from llmsim.server.handler import RequestHandler
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.telemetry.snapshot import Snapshot
from llmsim.transport.port import Gone, Stream, too_large
from llmsim.transport.scheduler import StreamEnded, now_us
from tests.pipeline.simulated import CHAT, Simulated

INSTANT = "latency: {profile: instant}"
SMALL = "server: {journal_mb: 1, max_body_bytes: 2048, max_open_streams: 2}"


class Body:
    """An open response body, whose client reads until it leaves."""

    def __init__(self) -> None:
        self.data = b""
        self.closed = False
        self.client_left = False

    def send(self, data: bytes) -> bool:
        self.data += b"" if self.client_left else data
        return not self.client_left

    def close(self) -> None:
        self.closed = True


class Client:
    """One HTTP request and what is answered to it."""

    method, path, scheme, query = "POST", "/v1/chat/completions", "http", ""

    def __init__(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        self._body = body
        self._headers = headers or {}
        self.late = 0
        self.broken_off: BaseException | None = None
        self.gone = asyncio.Event()
        self.status = 0
        self.head: dict[str, str] = {}
        self.body_sent = Body()
        self.hung_up: list[bool] = []

    def header(self, name: str) -> str | None:
        return self._headers.get(name)

    def names(self) -> list[str]:
        return list(self._headers)

    async def body(self, limit: int) -> bytes:
        if self.broken_off is not None:
            raise self.broken_off
        if len(self._body) > limit:
            raise too_large(limit)
        return self._body

    def arrived(self, begun: int, read: int, waits: bool) -> int:
        return read - self.late

    def connection(self) -> None:
        return None

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        self.open(status, headers).data += body

    def open(self, status: int, headers: Headers) -> Body:
        assert not self.status, "answered twice"
        self.status, self.head = status, dict(headers)
        return self.body_sent

    async def left(self) -> None:
        await self.gone.wait()

    def peer(self) -> Client:
        return self

    def written(self) -> None:
        return None

    def hang_up(self, reset: bool) -> None:
        self.hung_up.append(reset)


class Playing:
    """A scheduler under which streams stay open until ``finish``, and every wait ends when
    ``reached`` is called."""

    def __init__(self) -> None:
        self.open = 0
        self.start = 0
        self.streams: list[tuple[Plan, Stream, StreamEnded]] = []
        self.waits: list[asyncio.Future[None]] = []

    def reach(self, due: int) -> asyncio.Future[None]:
        wait = asyncio.get_running_loop().create_future()
        self.waits.append(wait)
        return wait

    def send(self, plan: Plan, start: int, stream: Stream, ended: StreamEnded, series: int) -> None:
        assert start <= now_us()
        self.start = start
        self.open += 1
        self.streams.append((plan, stream, ended))

    def finish(self, whole: bool = True, frames: int | None = None) -> None:
        plan, stream, ended = self.streams.pop(0)
        self.open -= 1
        count = len(plan.frames) if frames is None else frames
        sent = [plan.frames[place] for place in range(count)]
        for frame in sent:
            stream.send(frame)
        ended(whole, plan.ttft, plan.total, 0.0, len(sent))
        stream.close()


class Worker:
    """A handler with its state, under the configuration in effect that ``text`` says."""

    def __init__(self, folder: Path, text: str = INSTANT) -> None:
        self.sim = Simulated(folder, f"{SMALL}\n{text}")
        self.shared = SharedState(new_segment(self.sim.config))
        self.scheduler = Playing()
        self.runtime = self.sim
        holder: Any = self
        scheduler: Any = self.scheduler
        self.handler = RequestHandler(self.sim.config, holder, scheduler, self.shared)
        self.endpoint = registry.by_codec()[CHAT]

    def client(self, headers: dict[str, str] | None = None, **fields: Any) -> Client:
        return Client(self.sim.call(**fields).body, headers)

    async def answer(self, client: Client, **more: Any) -> Client:
        port: Any = client
        await self.handler.answer(port, self.endpoint, **more)
        return client

    def answered(self, client: Client, **more: Any) -> Client:
        return asyncio.run(self.answer(client, **more))

    @property
    def requests(self) -> dict[str, int]:
        """What is counted: requests by status, and those that are open."""
        snapshot = Snapshot(self.shared.all_counters)
        return snapshot.by("status") | ({"open": snapshot.active} if snapshot.active else {})


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


def test_a_stream_beyond_max_open_streams_is_refused(worker: Worker) -> None:
    async def scene() -> list[Client]:
        return [await worker.answer(worker.client(stream=True)) for _ in range(3)]

    clients = asyncio.run(scene())
    assert [client.status for client in clients] == [200, 200, 503]
    assert b"overloaded" in clients[2].body_sent.data
    assert worker.requests == {"503": 1, "open": 2}


def test_when_a_stream_has_ended_the_next_one_is_let_in(worker: Worker) -> None:
    async def scene() -> list[Client]:
        clients = [await worker.answer(worker.client(stream=True)) for _ in range(2)]
        worker.scheduler.finish()
        return [*clients, await worker.answer(worker.client(stream=True))]

    assert [client.status for client in asyncio.run(scene())] == [200, 200, 200]


def test_plain_answers_are_no_streams(worker: Worker) -> None:
    worker.scheduler.open = 2
    assert worker.answered(worker.client()).status == 200


def test_a_plain_answer_tells_its_seed_and_times(worker: Worker) -> None:
    client = worker.answered(worker.client(seed=9, stream=False))
    assert client.status == 200
    assert client.head["x-llmsim-seed"] == "9"
    assert client.head["server-timing"] == "ttft;dur=0, total;dur=0"
    assert orjson.loads(client.body_sent.data)["object"] == "chat.completion"
    assert worker.requests == {"200": 1}
    (entry,) = worker.shared.latest(5)
    assert entry.model == "gpt-4o"


def test_a_stream_is_counted_when_it_has_ended(worker: Worker) -> None:
    async def scene() -> Client:
        client = await worker.answer(worker.client(stream=True))
        assert worker.requests == {"open": 1}
        worker.scheduler.finish()
        return client

    client = asyncio.run(scene())
    assert client.body_sent.data.endswith(b"data: [DONE]\n\n")
    assert worker.requests == {"200": 1}
    assert Snapshot(worker.shared.all_counters).total("completion") > 0


@pytest.mark.parametrize("late", [0, 250_000])
def test_times_count_from_the_arrival(worker: Worker, late: int) -> None:
    client = worker.client(stream=True)
    client.late = late
    before = now_us()
    worker.answered(client)
    assert before - late <= worker.scheduler.start <= now_us() - late
    worker.scheduler.finish()
    (entry,) = worker.shared.latest(1)
    assert entry.arrived == pytest.approx(time.time() - late / 1e6, abs=0.2)
    assert entry.arrival_lag == late / 1e6
    snapshot = Snapshot(worker.shared.all_counters)
    assert snapshot.arrival_lag.count == 1
    assert snapshot.arrival_lag.sum == late / 1e6


def test_a_refusal_counts_from_the_arrival(worker: Worker) -> None:
    """Given while the request is decoded, by its headers, or because planning it went wrong."""

    def broken(*_: object) -> Plan:
        raise RuntimeError

    def refusing(_: object) -> None:
        raise BadRequest(Failure(FailureKind.INVALID, "no"))

    chat, worker.endpoint = worker.endpoint, replace(worker.endpoint, header_check=refusing)
    by_header = worker.client()
    by_header.late = 250_000
    worker.answered(by_header)
    worker.endpoint = chat
    by_value = worker.client(messages=3)
    by_value.late = 250_000
    worker.answered(by_value)
    worker.sim.pipeline.plan = broken  # type: ignore[method-assign,assignment]
    by_accident = worker.client()
    by_accident.late = 250_000
    worker.answered(by_accident)
    assert (by_header.status, by_value.status, by_accident.status) == (400, 400, 500)
    for entry in worker.shared.latest(3):
        assert entry.arrival_lag == 0.25
        assert entry.end is not None
        assert entry.end >= 0.25
    snapshot = Snapshot(worker.shared.all_counters)
    assert (snapshot.arrival_lag.count, snapshot.latency.count) == (3, 3)
    assert snapshot.shortest >= 0.25


def test_a_plain_answer_is_as_late_as_its_request_was(worker: Worker) -> None:
    client = worker.client()
    client.late = 250_000
    worker.answered(client)
    snapshot = Snapshot(worker.shared.all_counters)
    assert snapshot.lateness.sum >= 0.25
    assert snapshot.latency.sum >= 0.25


def test_a_stream_that_its_client_left_is_aborted(worker: Worker) -> None:
    async def scene() -> None:
        await worker.answer(worker.client(stream=True))
        worker.scheduler.finish(whole=False, frames=0)

    asyncio.run(scene())
    assert worker.requests == {"499": 1}
    assert Snapshot(worker.shared.all_counters).total("completion") == 0


LIMITED = f"{INSTANT}\nrate_limits: [{{output_tokens_per_minute: 1000}}]"
FAULT = "\nerrors: {{rules: [{{fault: {{{}: {{after_tokens: 7}}}}}}]}}"


@pytest.mark.parametrize(
    ("fields", "fault", "whole", "frames", "completion"),
    [
        ({}, "", True, None, 100),
        ({}, "", False, 0, 0),
        ({}, "", False, 1, 1),  # the role comes with the first token
        ({}, "", False, 2, 1),
        ({}, "", False, 31, 30),
        ({}, "", False, 103, 100),
        ({"n": 2, "max_tokens": 10}, "", False, 6, 4),  # two roles
        ({}, "cut", True, None, 7),
        ({}, "cut", False, 3, 2),
        ({}, "error_event", True, None, 7),
    ],
)
def test_tokens_of_a_stream_that_broke_off_are_those_that_were_sent(
    tmp_path: Path,
    fields: dict[str, Any],
    fault: str,
    whole: bool,
    frames: int | None,
    completion: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In statistics, limits and the journal."""
    settled: list[tuple[int, int, int, int]] = []
    monkeypatch.setattr(LimitHold, "settle", lambda _, tokens: settled.append(tokens))
    worker = Worker(tmp_path, LIMITED + (FAULT.format(fault) if fault else ""))

    async def scene() -> None:
        await worker.answer(worker.client(stream=True, **fields))
        worker.scheduler.finish(whole, frames)

    asyncio.run(scene())
    snapshot = Snapshot(worker.shared.all_counters)
    assert snapshot.total("completion") == completion
    assert snapshot.total("prompt") > 0
    assert snapshot.ttft.count == (completion > 0)
    assert snapshot.latency.count == whole
    (entry,) = worker.shared.latest(5)
    assert entry.tokens == (snapshot.total("prompt"), completion, 0, 0)
    assert settled == [entry.tokens]


SECOND = "latency: {ttft_mean_ms: 400, ttft_stddev_ms: 0, tbt_mean_ms: 1, tbt_stddev_ms: 0}"


def test_only_answers_have_a_first_token_and_plain_ones_the_planned_one(tmp_path: Path) -> None:
    """Of errors there is none, however soon they leave."""
    text = f"{SECOND}\nerrors: {{rules: [{{model: broken, status: 500}}]}}"
    worker = Worker(tmp_path, text)

    async def scene() -> None:
        for fields in ({}, {"model": "broken"}, {"model": "broken"}, {"messages": 3}):
            answering = asyncio.ensure_future(worker.answer(worker.client(**fields)))
            await soon(lambda: worker.scheduler.waits or answering.done())  # noqa: B023
            for wait in worker.scheduler.waits:
                wait.set_result(None)
            worker.scheduler.waits.clear()
            await answering

    asyncio.run(scene())
    snapshot = Snapshot(worker.shared.all_counters)
    assert snapshot.latency.count == 4
    assert (snapshot.ttft.count, round(snapshot.ttft.sum, 3)) == (1, 0.4)
    assert {(one.model, one.streamed): one.ttft.count for one in snapshot.series} == {
        ("gpt-4o", False): 1,
        ("broken", False): 0,
        ("", False): 0,
    }


SLOW = "latency: {ttft_mean_ms: 60000, ttft_stddev_ms: 0, tbt_mean_ms: 0, tbt_stddev_ms: 0}"


async def soon(condition: Callable[[], object]) -> None:
    """Let others go on until something holds."""
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not come")


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_waits_until_it_is_due(tmp_path: Path, stream: bool) -> None:
    worker = Worker(tmp_path, SLOW)

    async def scene() -> Client:
        client = worker.client(stream=stream)
        answering = asyncio.ensure_future(worker.answer(client))
        await soon(lambda: worker.scheduler.waits)
        assert client.status == 0
        worker.scheduler.waits.pop().set_result(None)
        await answering
        if stream:
            worker.scheduler.finish()
        return client

    client = asyncio.run(scene())
    assert (client.status, client.body_sent.closed) == (200, True)
    assert client.head["server-timing"].startswith("ttft;dur=60000.000")
    assert worker.requests == {"200": 1}


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_during_the_wait_is_sent_nothing(tmp_path: Path, stream: bool) -> None:
    worker = Worker(tmp_path, SLOW)

    async def scene() -> Client:
        client = worker.client(stream=stream)
        answering = asyncio.ensure_future(worker.answer(client))
        await soon(lambda: worker.scheduler.waits)
        client.gone.set()
        await answering
        return client

    assert asyncio.run(scene()).status == 0
    assert worker.requests == {"499": 1}


def test_a_plain_answer_whose_client_is_gone_when_it_is_due_counts_as_left(tmp_path: Path) -> None:
    worker = Worker(tmp_path, SLOW)

    async def scene() -> None:
        client = worker.client()
        client.body_sent.client_left = True
        answering = asyncio.ensure_future(worker.answer(client))
        await soon(lambda: worker.scheduler.waits)
        worker.scheduler.waits.pop().set_result(None)
        await answering

    asyncio.run(scene())
    assert worker.requests == {"499": 1}


def test_a_failure_can_be_due_later(worker: Worker) -> None:
    async def scene() -> Client:
        client = worker.client({"x-llmsim-error": "429; after_ms=5000; retry_after_ms=1500"})
        answering = asyncio.ensure_future(worker.answer(client))
        await soon(lambda: worker.scheduler.waits)
        worker.scheduler.waits.pop().set_result(None)
        return await answering

    client = asyncio.run(scene())
    assert client.status == 429
    assert client.head["retry-after"] == "2"
    assert worker.requests == {"429": 1}
    assert Snapshot(worker.shared.all_counters).errors


def test_a_client_that_leaves_before_a_late_failure_is_sent_nothing(worker: Worker) -> None:
    async def scene() -> Client:
        client = worker.client({"x-llmsim-error": "503; after_ms=5000"})
        answering = asyncio.ensure_future(worker.answer(client))
        await soon(lambda: worker.scheduler.waits)
        client.gone.set()
        return await answering

    assert asyncio.run(scene()).status == 0
    assert worker.requests == {"499": 1}


def test_a_reset_in_place_of_the_first_byte(worker: Worker) -> None:
    client = worker.answered(worker.client({"x-llmsim-fault": "reset"}, stream=True))
    assert (client.status, client.hung_up) == (0, [True])
    assert worker.requests == {"200": 1}


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"x" * 4096, 413), (b"[]", 400), (b"\xff", 400)]
)
def test_what_cannot_be_read_is_refused_in_the_providers_words(
    worker: Worker, body: bytes, status: int
) -> None:
    client = worker.answered(Client(body))
    assert client.status == status
    assert "error" in orjson.loads(client.body_sent.data)
    assert worker.requests == {str(status): 1}


def test_a_body_that_breaks_off_is_counted_as_left(worker: Worker) -> None:
    client = worker.client()
    client.broken_off = Gone()
    assert worker.answered(client).status == 0
    assert worker.requests == {"499": 1}


class Broken:
    """A memory that breaks at one of its two uses."""

    def __init__(self, recalling: BaseException | None, keeping: BaseException | None) -> None:
        self._recalling, self._keeping = recalling, keeping
        self.kept: list[Call] = []

    async def recall(self, request: Request) -> Request:
        if self._recalling is not None:
            raise self._recalling
        return request

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | Plan | None:
        self.kept.append(call)
        if self._keeping is not None:
            raise self._keeping
        return None


@pytest.mark.parametrize("memory", [Broken(ValueError("x"), None), Broken(None, ValueError("x"))])
def test_whatever_breaks_is_a_500_in_the_providers_words_and_logged(
    worker: Worker, memory: Broken, caplog: pytest.LogCaptureFixture
) -> None:
    client = worker.answered(worker.client(), memory=memory)
    assert client.status == 500
    assert orjson.loads(client.body_sent.data)["error"]["type"] == "server_error"
    assert worker.requests == {"500": 1}
    assert "could not answer a request to /v1/chat/completions" in caplog.text


@pytest.mark.parametrize(
    "memory", [Broken(StoreError("full"), None), Broken(None, StoreError("full"))]
)
def test_a_store_that_does_not_work_is_a_500_and_one_line(
    worker: Worker, memory: Broken, caplog: pytest.LogCaptureFixture
) -> None:
    client = worker.answered(worker.client(), memory=memory)
    assert client.status == 500
    assert orjson.loads(client.body_sent.data)["error"]["type"] == "server_error"
    assert worker.requests == {"500": 1}
    (record,) = caplog.records
    assert (record.getMessage(), record.exc_info) == ("the store does not work: full", None)


class Replacing(Broken):
    """A memory that has another plan to be sent."""

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | Plan | None:
        return structs.replace(plan, frames=WholeFrame(b"other"))


def test_a_memory_may_have_another_plan_sent(worker: Worker) -> None:
    client = worker.answered(worker.client(), memory=Replacing(None, None))
    assert (client.status, client.body_sent.data) == (200, b"other")
    assert worker.requests == {"200": 1}


def test_a_memory_is_handed_the_call_with_its_request(worker: Worker) -> None:
    memory = Broken(None, None)
    worker.answered(worker.client(), memory=memory)
    (call,) = memory.kept
    assert call.request.messages[-1].text == "Say something."


def test_a_request_that_is_cancelled_is_counted_and_goes_on_ending(worker: Worker) -> None:
    with pytest.raises(asyncio.CancelledError):
        worker.answered(worker.client(), memory=Broken(asyncio.CancelledError(), None))
    assert worker.requests == {"499": 1}


def test_a_head_can_be_refused(worker: Worker) -> None:
    """As Anthropic's ``anthropic-version`` is under strict validation."""
    endpoint = registry.by_codec(strict=True)["anthropic"]
    worker.endpoint = endpoint
    client = worker.answered(worker.client(max_tokens=5, model="claude-sonnet-4-5"))
    assert client.status == 400
    assert b"anthropic-version" in client.body_sent.data
    assert worker.requests == {"400": 1}


def test_limits_and_the_mocks_name_are_in_the_head(tmp_path: Path) -> None:
    text = "rate_limits: [{requests_per_day: 1}]\nmocks: [{name: sunny, response: Sun.}]"
    worker = Worker(tmp_path, f"{INSTANT}\n{text}")
    first, second = (worker.answered(worker.client()) for _ in range(2))
    assert (first.status, second.status) == (200, 429)
    assert first.head["x-llmsim-mock"] == "sunny"
    assert "x-llmsim-mock" not in second.head
    assert second.head["x-ratelimit-remaining-requests"] == "0"


def test_a_slot_of_the_queue_is_given_back_at_the_end(tmp_path: Path) -> None:
    worker = Worker(tmp_path, f"{INSTANT}\nconcurrency: {{max_concurrency: 1}}")

    async def scene() -> list[int]:
        first = await worker.answer(worker.client(stream=True))
        refused = await worker.answer(worker.client())
        worker.scheduler.finish()
        return [one.status for one in (first, refused, await worker.answer(worker.client()))]

    assert asyncio.run(scene()) == [200, 503, 200]


@pytest.mark.parametrize(("fields", "status"), [({}, 200), ({"messages": 3}, 400)])
def test_an_answer_that_nobody_waits_for_is_planned_and_counted(
    worker: Worker, fields: dict[str, Any], status: int
) -> None:
    body = worker.sim.call(**fields).body
    plan = asyncio.run(worker.handler.unawaited(worker.endpoint, body))
    assert plan.status == status
    assert worker.requests == {str(status): 1}


def test_an_answer_that_nobody_waits_for_has_the_prompt_cache_of_its_api_key(
    worker: Worker,
) -> None:
    body = worker.sim.call("the same words " * 110).body
    body = body.replace(b"words", b"words " * 10)

    def cached(api_key: str) -> int:
        plan = asyncio.run(worker.handler.unawaited(worker.endpoint, body, api_key))
        assert plan.completion is not None
        return plan.completion.usage.cached

    assert [cached(key) > 0 for key in ("a", "b", "a", "", "b")] == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_an_answer_that_nobody_waits_for_can_break_too(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(call: Call) -> Plan:
        raise ZeroDivisionError

    monkeypatch.setattr(worker.sim.pipeline, "plan", breaks)
    plan = asyncio.run(worker.handler.unawaited(worker.endpoint, b"{}"))
    assert plan.status == 500
    assert worker.requests == {"500": 1}


def test_the_settings_of_a_model(worker: Worker) -> None:
    assert asyncio.run(worker.handler.settings("gpt-4o")).model.id == "gpt-4o"
