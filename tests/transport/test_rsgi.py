"""The port over RSGI, with Granian's side of it played by the test."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any

import granian.server.mp
import pytest
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # re-exported

from llmsim.core.errors import BadRequest, FailureKind
from llmsim.core.plan import PIECE, LargeChunk
from llmsim.state.shm import layout
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.arrival import CALM, ArrivalClock, Span
from llmsim.transport.body_deadline import PERIODS, BodyDeadline
from llmsim.transport.bounds import Bounds
from llmsim.transport.port import DRAIN, Gone
from llmsim.transport.rsgi import _WRAPPER, MOST_HOLLOW, RSGIPort, RSGIStream, _stamping
from llmsim.transport.scheduler import now_us
from llmsim.transport.slow_clients import NOT_ASKED, ClientLimits, Outflow, SlowClients

LIMIT = 10
MAX_UNSENT = 100


class Alive:
    """What sending gives while the client is there."""

    def __await__(self) -> Iterator[Any]:
        return iter(())


class Dead:
    """What it gives once the client has gone."""

    def __await__(self) -> Iterator[Any]:
        raise ProtocolClosed
        yield


class Transport:
    def __init__(self, gives: Callable[[], Any] = Alive) -> None:
        self.gives = gives
        self.sent: list[bytes] = []

    def send_bytes(self, data: bytes) -> Any:
        self.sent.append(data)
        return self.gives()


class Protocol:
    """A request whose body comes in chunks, or whole when it is asked for so."""

    def __init__(self, *chunks: bytes, whole: bytes | None = None) -> None:
        self._chunks = chunks
        self._whole = whole
        self.read_whole = 0
        self.taken = 0
        self.transport = Transport()
        self.answered: list[tuple[Any, ...]] = []

    async def __call__(self) -> bytes:
        self.read_whole += 1
        if self._whole is None:
            raise ProtocolClosed
        return self._whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            self.taken += 1
            yield chunk

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.answered.append((status, headers))

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answered.append((status, headers, body))

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Transport:
        self.answered.append((status, headers))
        return self.transport

    async def client_disconnect(self) -> None:
        self.answered.append(("left",))


def bounds() -> Bounds:
    return Bounds(WorkerCounters(memoryview(bytearray(layout.SIZE))))


def slow_clients() -> SlowClients:
    return SlowClients(ClientLimits(60.0, MAX_UNSENT, 30.0, 8080), bounds())


def outflow() -> Outflow:
    return Outflow("127.0.0.1:1", MAX_UNSENT, lambda _: None)


def port(protocol: Protocol, headers: dict[str, str] | None = None, **scope: Any) -> RSGIPort:
    known = {
        "method": "POST",
        "path": "/v1/x",
        "scheme": "http",
        "query_string": "a=%20b",
        "http_version": "1.1",
        "authority": None,
        "client": "127.0.0.1:1",
        "headers": headers or {},
    }
    clients = scope.pop("clients", None) or slow_clients()
    deadline = scope.pop("deadline", None) or BodyDeadline(0.0, bounds())
    handed = scope.pop("handed", 0)
    arrivals = scope.pop("arrivals", None) or ArrivalClock(None)
    whole = SimpleNamespace(**{**known, **scope})
    return RSGIPort(whole, protocol, handed, arrivals, clients, deadline)


def run(scene: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(scene)


@pytest.fixture(autouse=True)
def _unlearnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a worker that has just started."""
    monkeypatch.setattr(RSGIStream, "alive", None)
    monkeypatch.setattr(RSGIStream, "dead", None)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_which_type_means_that_the_client_is_there_is_learnt_by_awaiting_one() -> None:
    async def scene() -> None:
        transport = Transport()
        stream = RSGIStream(transport, outflow())
        assert stream.send(b"a")  # not known yet
        await turns()
        assert RSGIStream.alive is Alive
        assert stream.send(b"b")
        assert transport.sent == [b"a", b"b"]

    run(scene())


def test_which_type_means_that_it_has_gone_is_learnt_too() -> None:
    async def scene() -> None:
        stream = RSGIStream(Transport(Dead), outflow())
        assert stream.send(b"a")  # not known yet
        await turns()
        assert RSGIStream.dead is Dead
        assert not stream.send(b"b")
        other = RSGIStream(Transport(Dead), outflow())
        assert not other.send(b"c")  # at once, as it is known by now

    run(scene())


def test_a_stream_that_is_closed_sends_nothing_and_lets_go_of_its_transport() -> None:
    async def scene() -> None:
        transport = Transport()
        stream = RSGIStream(transport, outflow())
        stream.close()
        assert not stream.send(b"late")
        assert transport.sent == []

    run(scene())


def test_what_is_large_is_handed_over_a_piece_each_turn() -> None:
    async def scene() -> None:
        RSGIStream.alive = Alive
        transport = Transport()
        watch = weakref.ref(transport)
        stream = RSGIStream(transport, outflow())
        large = LargeChunk([b"a" * PIECE, b"b" * PIECE, b"c"])
        assert stream.send(large)
        assert stream.send(b"small")
        assert stream.send(b"d" * 2 * PIECE)
        stream.close()  # ends the response once all has been handed over
        sent = transport.sent
        before = 0
        while len(sent) < 6:
            assert len(sent) <= before + 1
            before = len(sent)
            await asyncio.sleep(0)
        assert [piece[:1] for piece in sent] == [b"a", b"b", b"c", b"s", b"d", b"d"]
        assert b"".join(sent) == bytes(large) + b"small" + b"d" * 2 * PIECE
        assert max(map(len, sent)) <= PIECE
        await turns()
        del transport
        assert watch() is None

    run(scene())


def test_nothing_more_of_it_goes_to_a_client_that_has_gone() -> None:
    async def scene() -> None:
        RSGIStream.alive, RSGIStream.dead = Alive, Dead
        transport = Transport()
        stream = RSGIStream(transport, outflow())
        assert stream.send(b"a" * 9 * PIECE)
        transport.gives = Dead
        await turns()
        assert len(transport.sent) == 2
        assert not stream.send(b"more")

    run(scene())


def test_a_large_answer_is_a_body_of_known_length_in_pieces() -> None:
    async def scene() -> None:
        RSGIStream.alive = Alive
        protocol = Protocol()
        body = b"x" * (2 * PIECE + 1)
        port(protocol).respond(200, [("a", "b")], body)
        assert len(protocol.transport.sent) == 1
        await turns()
        assert b"".join(protocol.transport.sent) == body
        assert protocol.answered == [(200, [("a", "b"), ("content-length", str(len(body)))])]
        port(protocol).respond(200, [], b"x" * PIECE)
        assert protocol.answered[-1] == (200, [], b"x" * PIECE)

    run(scene())


def test_a_port_tells_the_request() -> None:
    one = port(Protocol(), {"x-a": "b"}, authority="llm.example")
    assert (one.method, one.path, one.scheme, one.query) == ("POST", "/v1/x", "http", "a=%20b")
    assert (one.header("x-a"), one.header("x-b")) == ("b", None)
    assert one.header("host") == "llm.example"  # as HTTP/2 says it
    assert port(Protocol(), {"host": "h"}, authority="a").header("host") == "h"
    assert list(one.names()) == ["x-a"]
    assert list(one.headers()) == [("x-a", "b")]


@pytest.mark.parametrize("length", ["3", "10"])
def test_a_body_of_known_length_is_read_at_once(length: str) -> None:
    protocol = Protocol(whole=b"abc")
    assert run(port(protocol, {"content-length": length}).body(LIMIT)) == b"abc"
    assert (protocol.read_whole, protocol.taken) == (1, 0)


@pytest.mark.parametrize("headers", [{}, {"content-length": "11"}, {"content-length": "x"}])
def test_any_other_is_read_in_chunks(headers: dict[str, str]) -> None:
    protocol = Protocol(b"abc", b"def", b"")
    assert run(port(protocol, headers).body(LIMIT)) == b"abcdef"
    assert protocol.read_whole == 0


def test_a_body_that_is_too_large_is_read_to_its_end_and_refused() -> None:
    protocol = Protocol(b"x" * 8, b"x" * 8, b"")
    with pytest.raises(BadRequest) as refused:
        run(port(protocol).body(LIMIT))
    assert refused.value.failure.kind is FailureKind.TOO_LARGE
    assert protocol.taken == 3


def test_a_body_that_is_much_too_large_is_not_read_to_its_end() -> None:
    protocol = Protocol(*[b"x" * LIMIT] * 100)
    with pytest.raises(BadRequest):
        run(port(protocol).body(LIMIT))
    assert protocol.taken == DRAIN + 1


@pytest.mark.parametrize(
    ("protocol", "headers", "scope"),
    [
        (Protocol(), {"content-length": "5"}, {}),
        (Protocol(b"abc", b"", b""), {}, {}),
        (Protocol(b"abc", *[b""] * (MOST_HOLLOW + 1)), {}, {"http_version": "2"}),
    ],
    ids=["known length", "chunked", "HTTP/2"],
)
def test_a_body_that_breaks_off_is_answered_400_and_counted_as_left(
    protocol: Protocol, headers: dict[str, str], scope: dict[str, Any]
) -> None:
    with pytest.raises(Gone):
        run(port(protocol, headers, **scope).body(LIMIT))
    assert protocol.answered == [(400, [])]


@pytest.mark.parametrize(
    ("chunks", "headers", "scope"),
    [
        ((b"abc", b"", b""), {"trailer": "x-sum"}, {}),
        ((b"abc", b"", b""), {}, {"http_version": "2"}),
        ((b"a", b"", b"bc", b""), {}, {}),
    ],
    ids=["trailers", "HTTP/2", "a pause"],
)
def test_empty_chunks_that_mean_nothing(
    chunks: tuple[bytes, ...], headers: dict[str, str], scope: dict[str, Any]
) -> None:
    assert run(port(Protocol(*chunks), headers, **scope).body(LIMIT)) == b"abc"


def test_answers_and_the_end_of_a_connection() -> None:
    async def scene() -> None:
        protocol = Protocol()
        one = port(protocol)
        one.respond(201, [("a", "b")], b"body")
        stream = one.open(200, [("c", "d")])
        assert stream.send(b"x")
        await one.left()
        assert protocol.answered == [(201, [("a", "b")], b"body"), (200, [("c", "d")]), ("left",)]
        assert protocol.transport.sent == [b"x"]
        assert one.peer().written() is None

    run(scene())


def test_streams_over_http_1_are_counted_each_for_itself() -> None:
    async def scene() -> None:
        asked: list[Outflow] = []
        stream = RSGIStream(Transport(), one := Outflow("127.0.0.1:1", MAX_UNSENT, asked.append))
        for _ in range(3):
            stream.send(b"x" * 40)
        assert (one.sent, asked) == (120, [])  # the send that exceeds the limit may
        stream.send(b"x")
        stream.send(b"x")
        assert (one.sent, one.limit, asked) == (122, NOT_ASKED, [one])  # asked once

    run(scene())


def test_answers_over_http_2_are_counted_together() -> None:
    async def scene() -> None:
        clients = slow_clients()
        ports = [port(Protocol(), http_version="2", clients=clients) for _ in range(3)]
        ports[0].open(200, []).send(b"x" * 10)
        ports[1].open(200, []).send(b"x" * 10)
        ports[2].respond(200, [], b"x" * 10)
        assert clients.outflow(ports[0].scope).sent == 30

    run(scene())


class Never:
    """A body, or a part of one, that does not arrive: a future as Granian's are."""

    def __init__(self) -> None:
        self.future = asyncio.get_running_loop().create_future()

    def __call__(self) -> asyncio.Future[bytes]:
        return self.future

    def __aiter__(self) -> Never:
        return self

    def __anext__(self) -> asyncio.Future[bytes]:
        return self.future


@pytest.mark.parametrize("headers", [{"content-length": "5"}, {}], ids=["known", "chunked"])
def test_a_body_that_does_not_arrive_is_refused(headers: dict[str, str]) -> None:
    async def scene() -> None:
        counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))
        one: Any = Never()
        deadline = BodyDeadline(0.01, Bounds(counters))
        deadline.watch(asyncio.get_running_loop())
        with pytest.raises(BadRequest) as refused:
            await port(one, headers, deadline=deadline).body(LIMIT)
        assert refused.value.failure.kind is FailureKind.TIMEOUT_CLIENT
        assert "within 0.01 seconds" in refused.value.failure.message
        assert one.future.cancelled()
        assert counters.cells[layout.BODIES_LATE] == 1

    run(scene())


def test_a_reading_that_another_cancels_is_not_late() -> None:
    async def scene() -> None:
        counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))
        one: Any = Never()
        deadline = BodyDeadline(60.0, Bounds(counters))
        reading = port(one, {"content-length": "5"}, deadline=deadline).body(LIMIT)
        task = asyncio.ensure_future(reading)
        await turns()
        assert deadline.waiting == {one.future}
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not deadline.waiting
        assert not counters.cells[layout.BODIES_LATE]

    run(scene())


def test_a_body_that_breaks_off_is_let_go_of_without_the_garbage_collector() -> None:
    """What is awaited keeps its error, in a future as in what Granian gives."""
    readings: list[weakref.ref[asyncio.Future[bytes]]] = []

    class Broken(Protocol):
        def __call__(self) -> Any:
            reading = asyncio.get_running_loop().create_future()
            reading.set_exception(ProtocolClosed())
            readings.append(weakref.ref(reading))
            return reading

    async def scene() -> None:
        with pytest.raises(Gone):
            await port(Broken(), {"content-length": "5"}).body(LIMIT)
        assert readings[0]() is None

    gc.disable()
    try:
        run(scene())
    finally:
        gc.enable()


def test_a_part_that_comes_while_its_body_is_given_up_is_late() -> None:
    async def scene() -> None:
        one: Any = Never()
        deadline = BodyDeadline(60.0, bounds())
        task = asyncio.ensure_future(port(one, deadline=deadline).body(LIMIT))
        await turns()
        one.future.set_result(b"x")
        for _ in range(PERIODS + 1):
            deadline.next_period()
        with pytest.raises(BadRequest):
            await task

    run(scene())


def test_a_body_too_large_is_refused_before_it_is_sent_if_its_client_asks() -> None:
    protocol = Protocol(b"x" * LIMIT, b"x", b"")
    headers = {"content-length": str(LIMIT + 1), "expect": "100-continue"}
    with pytest.raises(BadRequest) as refused:
        run(port(protocol, headers).body(LIMIT))
    assert refused.value.failure.kind is FailureKind.TOO_LARGE
    assert protocol.taken == 0


class Kernel:
    """What is asked of a connection."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def last(self, client: str, server: str) -> Span | None:
        self.asked.append((client, server))
        return Span(1_000, 5_000)


@pytest.mark.parametrize(
    ("version", "read", "expected", "asked"),
    [
        ("1.1", 10_000 + CALM - 1, 10_000, 0),  # a calm server asks nobody
        ("1.1", 10_000 + CALM, 5_000, 1),
        ("2", 10_000 + CALM, 10_000, 0),  # other requests share the connection
    ],
)
def test_when_a_request_arrived(version: str, read: int, expected: int, asked: int) -> None:
    kernel = Kernel()
    one = port(
        Protocol(b""),
        http_version=version,
        server="127.0.0.1:2",
        handed=10_000,
        arrivals=ArrivalClock(kernel),
    )
    assert one.arrived(10_000, read, True) == expected
    assert kernel.asked == [("127.0.0.1:1", "127.0.0.1:2")] * asked


class Watcher:
    """A request as Granian's HTTP thread hands it over."""

    scope, proto = "scope", "protocol"

    def __init__(self) -> None:
        self.ended: list[BaseException | None] = []

    def done(self) -> None:
        self.ended.append(None)

    def err(self, error: BaseException) -> None:
        self.ended.append(error)


def test_a_request_comes_with_the_time_at_which_it_was_handed_over() -> None:
    seen: list[tuple[str, str, int]] = []

    async def application(scope: str, protocol: str, handed: int) -> None:
        seen.append((scope, protocol, handed))

    before = now_us()
    watcher = Watcher()
    handed_over = _stamping(application)(watcher)
    after = now_us()
    run(handed_over)
    ((scope, protocol, handed),) = seen
    assert (scope, protocol) == ("scope", "protocol")
    assert before <= handed <= after
    assert watcher.ended == [None]


def test_what_an_application_raises_is_granians_to_answer() -> None:
    error = RuntimeError("broken")

    async def application(scope: str, protocol: str, handed: int) -> None:
        raise error

    watcher = Watcher()
    run(_stamping(application)(watcher))
    assert watcher.ended == [error]


def test_granian_has_what_is_overridden() -> None:
    assert callable(getattr(granian.server.mp, _WRAPPER))


@pytest.mark.parametrize(
    ("version", "scheme", "plain"),
    [("1.1", "http", True), ("1.0", "http", True), ("2", "http", False), ("1.1", "https", False)],
)
def test_what_is_written_is_what_was_sent(version: str, scheme: str, plain: bool) -> None:
    """Only where nothing is added to it or made smaller."""
    peer = port(Protocol(), http_version=version, scheme=scheme).peer()
    assert peer._plain is plain
