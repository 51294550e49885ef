"""An answer on its way to a client, with a service and a playback that are none."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from llmsim.core import ConnectionEnd, Headers, Usage
from llmsim.core.errors import Failure, FailureKind
from llmsim.core.faults import Cut, FaultPoint
from llmsim.engine.faults.passing import PassingAnswer, PassingChanges
from llmsim.proxy import answer
from llmsim.proxy.answer import ServiceAnswer
from llmsim.proxy.client.response import ServiceError, ServiceTimeout
from llmsim.proxy.exchange import Exchange, Exchanges
from llmsim.recordings.recording import Payload, RecordedRequest, ResponseEnd

DONE = b"data: [DONE]\n\n"


class Client:
    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def left(self) -> None:
        await self.gone.wait()


class Played:
    """Takes what is passed on. ``unread`` is what its client has not read."""

    pending = 0
    elapsed = 0.5

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, float]] = []
        self.ended: tuple[Any, ...] | None = None
        self.abandoned = False
        self.unread = 0

    def add(self, frame: bytes, due: float) -> bool:
        self.frames.append((frame, due))
        return True

    def end(self, *how: Any) -> None:
        self.ended = how

    def abandon(self) -> None:
        self.abandoned = True


class Body:
    """An answer of these frames, each once ``go`` lets it."""

    status = 200

    def __init__(
        self, *frames: bytes, error: Exception | None = None, headers: Headers | None = None
    ) -> None:
        self.frames, self.error = frames, error
        self.headers = headers or []
        self.go = asyncio.Semaphore(99)
        self.given = 0
        self.free = asyncio.Event()
        self.free.set()

    async def each(self, frame: Callable[[bytes], bool]) -> None:
        for content in self.frames:
            await self.go.acquire()
            await self.free.wait()
            self.given += 1
            if not frame(content):
                return
        await self.go.acquire()
        if self.error is not None:
            raise self.error

    def hold(self) -> None:
        self.free.clear()

    def go_on(self) -> None:
        self.free.set()

    def close(self) -> None:
        pass


class Scene:
    def __init__(self, body: Body, max_unsent: int = 8_000_000) -> None:
        self.client, self.played, self.over = Client(), Played(), list[Exchange]()
        self.body, self.most = body, max_unsent

    async def begin(self, stream: bool = True, shaper: Any = None) -> ServiceAnswer:
        content = b'{"model":"gpt-4o","stream":%s}' % str(stream).lower().encode()
        request = RecordedRequest(path="/v1/chat/completions", body=Payload.of(content))
        exchange = Exchange(Exchanges(), "openai", request, 1.0)

        async def opening() -> Body:
            return self.body

        assert await exchange.open(opening()) is None
        made = ServiceAnswer(exchange, self.client, self.most, self.over.append)
        made.deferred(7, shaper).begin(self.played)  # type: ignore[arg-type]
        return made

    async def ended(self) -> None:
        async with asyncio.timeout(10):
            while not self.over:
                await asyncio.sleep(0.001)


def test_frames_are_due_when_they_come_and_uncounted_tokens_are_counted() -> None:
    async def scene() -> None:
        delta = b'data: {"choices":[{"delta":{"content":"Hi there"}}]}\n\n'
        one = Scene(Body(delta, DONE))
        await one.begin()
        await one.ended()
        assert one.played.frames == [(delta, 0.5), (DONE, 0.5)]
        assert one.played.ended == (ConnectionEnd.WHOLE, Usage(7, 2), None)

    asyncio.run(scene())


def test_a_plain_answer_says_its_usage_and_its_length() -> None:
    async def scene() -> None:
        body = b'{"usage":{"prompt_tokens":3,"completion_tokens":4}}'
        one = Scene(Body(body, headers=[("content-length", str(len(body))), ("x-a", "1")]))
        made = await one.begin(stream=False)
        assert (made.length, made.headers) == (len(body), [("x-a", "1")])
        await one.ended()
        assert one.played.ended == (ConnectionEnd.WHOLE, Usage(3, 4), None)

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ServiceError("reset"), FailureKind.BAD_GATEWAY),
        (ServiceTimeout("slow"), FailureKind.TIMEOUT),
    ],
)
def test_what_breaks_off_breaks_the_connection_and_counts(
    error: Exception, kind: FailureKind
) -> None:
    async def scene() -> None:
        one = Scene(Body(b"data: {}\n\n", error=error))
        await one.begin()
        await one.ended()
        assert one.played.ended is not None
        ending, _, failure = one.played.ended
        assert ending is ConnectionEnd.CUT
        assert isinstance(failure, Failure)
        assert failure.kind is kind

    asyncio.run(scene())


def test_a_client_that_leaves_ends_the_call() -> None:
    async def scene() -> None:
        body = Body(b"data: {}\n\n", DONE)
        body.go = asyncio.Semaphore(1)
        one = Scene(body)
        await one.begin()
        while not one.played.frames:
            await asyncio.sleep(0)
        one.client.gone.set()
        await one.ended()
        assert one.played.abandoned
        assert one.over[0].end is ResponseEnd.LEFT

    asyncio.run(scene())


def test_a_client_that_leaves_with_the_last_event_has_all_of_it() -> None:
    async def scene() -> None:
        body = Body(DONE)
        body.go = asyncio.Semaphore(1)
        one = Scene(body)
        await one.begin()
        while not one.played.frames:
            await asyncio.sleep(0)
        one.client.gone.set()
        await asyncio.sleep(0.05)
        body.go.release()
        await one.ended()
        assert not one.played.abandoned
        assert one.played.ended is not None
        assert one.over[0].end is ResponseEnd.WHOLE

    asyncio.run(scene())


def test_no_more_is_read_while_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "PAUSE", 0.001)

    async def scene() -> None:
        body = Body(*[bytes(100)] * 20)
        one = Scene(body, max_unsent=1600)
        one.played.unread = 900  # more than half
        await one.begin()
        await asyncio.sleep(0.05)
        assert body.given == 2, "it looks each eighth of what may wait"
        one.played.unread = 0
        await one.ended()
        assert body.given == 20

    asyncio.run(scene())


def test_what_is_cut_on_purpose_lets_the_service_go() -> None:
    async def scene() -> None:
        one = Scene(Body(b"data: {}\n\n", b"data: {}\n\n", DONE))
        changes = PassingChanges(True, Cut(after=FaultPoint(1)))
        await one.begin(shaper=PassingAnswer(changes, lambda frame: 1))
        await one.ended()
        assert [frame for frame, _ in one.played.frames] == [b"data: {}\n\n"]
        assert one.played.ended is not None
        assert one.played.ended[0] is ConnectionEnd.CUT
        assert one.over[0].end is ResponseEnd.LEFT

    asyncio.run(scene())


def test_an_answer_that_is_never_begun_is_let_go_of() -> None:
    async def scene() -> None:
        one = Scene(Body(DONE))
        made = await one.begin()
        made.release()  # which it was, so nothing happens
        await one.ended()
        assert one.over[0].end is ResponseEnd.WHOLE

    asyncio.run(scene())
