"""One exchange, with a service and a client that are none."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from llmsim.core import Headers
from llmsim.core.errors import Failure
from llmsim.proxy.client.response import ServiceError, ServiceTimeout
from llmsim.proxy.exchange import REDIRECTED, TIMEOUT, UNREACHABLE, Exchange, Exchanges
from llmsim.recordings.recording import Payload, RecordedRequest, ResponseEnd

ASKED = b'{"model":"gpt-4o","stream":true}'


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Asker:
    """Gets frames, and wants so many."""

    def __init__(self, patience: int = 99) -> None:
        self.frames = list[bytes]()
        self.patience = patience

    def __call__(self, content: bytes) -> bool:
        self.frames.append(content)
        self.patience -= 1
        return self.patience > 0


class Body:
    """An answer: frames a second apart, and then an error or none."""

    def __init__(
        self,
        clock: Clock,
        frames: list[bytes],
        error: Exception | None = None,
        status: int = 200,
        headers: Headers | None = None,
    ) -> None:
        self.clock, self.frames, self.error = clock, frames, error
        self.status, self.headers = status, headers or []
        self.closed = False

    async def each(self, frame: Callable[[bytes], bool]) -> None:
        for content in self.frames:
            self.clock.now += 1
            if not frame(content):
                return
        if self.error is not None:
            raise self.error

    def hold(self) -> None:
        pass

    def go_on(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def exchange(exchanges: Exchanges) -> Exchange:
    headers = [("x-request-id", "r1"), ("authorization", "Bearer k")]
    body = Payload.of(ASKED)
    request = RecordedRequest(path="/v1/chat/completions", headers=headers, body=body)
    return Exchange(exchanges, "openai", request, 1_790_000_000.5)


async def passed(one: Exchange, opening: Awaitable[Body], asker: Asker) -> Failure | None:
    failure = await one.open(opening)
    if failure is None:
        await one.pass_on(asker)
    return failure


async def opened(clock: Clock, response: Body | Exception) -> Body:
    clock.now += 0.5
    if isinstance(response, Exception):
        raise response
    return response


def test_an_answer_passes_frame_by_frame_and_is_noted_with_its_times() -> None:
    clock, asker = Clock(), Asker()
    headers = [("x-a", "1"), ("connection", "close")]
    body = Body(clock, [b"data: 1\n", b"\n", b"data: 2\n\n"], headers=headers)
    exchanges = Exchanges(clock)
    other = exchange(exchanges)
    one = exchange(exchanges)
    assert asyncio.run(passed(one, opened(clock, body), asker)) is None
    assert (one.status, one.headers, one.waited) == (200, [("x-a", "1")], 0.5)
    assert asker.frames == body.frames
    assert body.closed
    kept = one.recording()
    assert [(frame.at, frame.body.text) for frame in kept.response.frames] == [
        (1.5, "data: 1\n"),
        (2.5, "\n"),
        (3.5, "data: 2\n\n"),
    ]
    assert (kept.response.at, kept.response.ended, kept.response.end) == (
        0.5,
        3.5,
        ResponseEnd.WHOLE,
    )
    assert (kept.provider, kept.model, kept.stream) == ("openai", "gpt-4o", True)
    assert kept.in_flight == 2
    assert {frame.in_flight for frame in kept.response.frames} == {2}
    assert kept.correlation == {"x-request-id": "r1"}
    assert exchanges.open.total() == 1
    assert other.model == "gpt-4o"


@pytest.mark.parametrize(
    ("error", "failure", "end"),
    [
        (ServiceTimeout("slow"), TIMEOUT, ResponseEnd.TIMEOUT),
        (ServiceError("no"), UNREACHABLE, ResponseEnd.UNANSWERED),
    ],
)
def test_a_service_that_does_not_answer(
    error: Exception, failure: object, end: ResponseEnd
) -> None:
    clock, asker, exchanges = Clock(), Asker(), Exchanges()
    one = exchange(exchanges)
    assert asyncio.run(passed(one, opened(clock, error), asker)) is failure
    assert one.recording().response.end is end
    assert exchanges.open.total() == 0


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ServiceError("reset"), ResponseEnd.CUT),
        (ServiceTimeout("slow"), ResponseEnd.TIMEOUT),
    ],
)
def test_a_service_that_breaks_off(error: Exception, end: ResponseEnd) -> None:
    clock, asker = Clock(), Asker()
    body = Body(clock, [b"a"], error)
    one = exchange(Exchanges(clock))
    assert asyncio.run(passed(one, opened(clock, body), asker)) is None
    assert asker.frames == [b"a"]
    assert one.recording().response.end is end
    assert body.closed


def test_a_client_that_leaves_is_noted_and_the_service_let_go() -> None:
    clock, asker = Clock(), Asker(patience=2)
    body = Body(clock, [b"a", b"b", b"c"])
    one = exchange(Exchanges(clock))
    assert asyncio.run(passed(one, opened(clock, body), asker)) is None
    assert one.end is ResponseEnd.LEFT
    assert len(one.recording().response.frames) == 2
    assert body.closed


def test_redirects_are_not_followed() -> None:
    clock, asker = Clock(), Asker()
    body = Body(clock, [], status=302, headers=[("location", "http://10.0.0.1")])
    one = exchange(Exchanges(clock))
    assert asyncio.run(passed(one, opened(clock, body), asker)) is REDIRECTED


def test_an_answer_that_nobody_wants_is_let_go_of_once() -> None:
    clock, exchanges = Clock(), Exchanges()
    body = Body(clock, [b"a"])

    async def scene() -> Exchange:
        one = exchange(exchanges)
        await one.open(opened(clock, body))
        one.leave()
        one.leave()
        return one

    one = asyncio.run(scene())
    assert (one.end, body.closed, exchanges.open.total()) == (ResponseEnd.LEFT, True, 0)


def test_what_is_not_noted_is_passed_on_all_the_same() -> None:
    clock, asker = Clock(), Asker()
    request = RecordedRequest(path="/v1/chat/completions", body=Payload.of(ASKED))
    one = Exchange(Exchanges(clock), "openai", request, 1.0, noted=False)
    body = Body(clock, [b"a", b"b"])
    asyncio.run(passed(one, opened(clock, body), asker))
    assert asker.frames == [b"a", b"b"]
    assert one.recording().response.frames == []
