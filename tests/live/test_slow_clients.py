"""Clients that read nothing, say nothing, or never come to an end, over every transport."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.attack import stalls
from tests.live.http1 import CHAT, Connection, chat, chunked, post, request
from tests.live.http2 import Http2
from tests.live.watch import settled
from tests.serving import Server

LONG = 100_000
"""Tokens of an answer that fits no buffer."""
SECONDS = 20.0
"""In which a busy machine does what takes a second."""

Client = Connection | Http2
Attack = Callable[[int], Awaitable[list[Client]]]


async def gone(client: Client) -> None:
    """Wait until the server has closed a connection, reading what comes before that."""
    async with asyncio.timeout(SECONDS):
        if isinstance(client, Http2):
            while await client.read():
                pass
        else:
            while not await client.drained():
                pass


def dropped(sim: Server, bound: str) -> float:
    """How many clients a bound of the server was reached by."""
    with urlopen(sim.url + "/metrics") as response:
        text = response.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "llmsim_clients_dropped_total" and sample.labels["bound"] == bound
    )


def plain(streams: int) -> Attack:
    return lambda port: stalls.http2(port, streams, 2000, stream=False)


READING_NOTHING: dict[str, Attack] = {
    "HTTP/1": lambda port: stalls.http1(port, 2, LONG),
    "WebSocket": lambda port: stalls.websockets(port, 2, LONG),
    "HTTP/2": lambda port: stalls.http2(port, 10, LONG),
    "HTTP/2, whole answers": plain(10),
    "HTTP/2, one small answer": plain(1),
}


@pytest.fixture(scope="module")
def impatient(configured: Callable[..., Server]) -> Iterator[Server]:
    text = "server: {stall_timeout_ms: 800, header_timeout_ms: 800, body_timeout_ms: 800}\n"
    with configured(text, "--latency", "instant") as sim:
        yield sim


@pytest.fixture(scope="module")
def narrow(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured("server: {stall_timeout_ms: 60000, max_unsent_bytes: 1000000}\n") as sim:
        yield sim


def disconnected(sim: Server, bound: str, attack: Attack) -> None:
    """Fails unless each client of an attack reaches a bound and its connection is closed."""
    before = dropped(sim, bound)

    async def scene() -> None:
        clients = await attack(sim.port)
        async with asyncio.timeout(SECONDS):
            # They read only then: those that read do not stall.
            while dropped(sim, bound) < before + len(clients):
                await asyncio.sleep(0.1)
        await asyncio.gather(*map(gone, clients))

    asyncio.run(scene())
    settled(sim.port)


@pytest.mark.parametrize("transport", READING_NOTHING)
def test_a_client_that_reads_nothing_is_dropped(impatient: Server, transport: str) -> None:
    disconnected(impatient, "stall_timeout_ms", READING_NOTHING[transport])


@pytest.mark.parametrize("transport", ["HTTP/1", "WebSocket", "HTTP/2"])
def test_a_client_for_which_too_much_waits_is_dropped(narrow: Server, transport: str) -> None:
    disconnected(narrow, "max_unsent_bytes", READING_NOTHING[transport])
    assert dropped(narrow, "stall_timeout_ms") == 0


@pytest.mark.parametrize("version", [1, 2])
def test_one_that_reads_gets_any_amount(narrow: Server, version: int) -> None:
    headers = stalls.flood(8000, "0.5")

    async def scene() -> bytes:
        if version == 2:
            async with await Http2.to(narrow.port) as client:
                streams = [
                    await client.ask(chat(stream=True, model=stalls.MODEL), *headers)
                    for _ in range(3)
                ]
                return [(await client.answer(one))[1] for one in streams][-1]
        async with await Connection.to(narrow.port) as connection:
            lines = (f"{name}: {value}" for name, value in headers)
            return (
                await connection.ask("POST", CHAT, chat(stream=True, model=stalls.MODEL), *lines)
            ).body

    whole = asyncio.run(scene())
    assert len(whole) > 1_200_000
    assert whole.endswith(b"data: [DONE]\n\n")


def test_an_idle_http_2_client_that_has_read_everything_stays(impatient: Server) -> None:
    async def scene() -> int:
        async with await Http2.to(impatient.port) as client:
            await client.answer(await client.ask(chat()))
            for _ in range(20):
                await asyncio.sleep(0.1)
                await client.ping()
                assert await client.read()
            return (await client.answer(await client.ask(chat())))[0]

    assert asyncio.run(scene()) == 200


SAID: dict[str, bytes] = {
    "nothing": b"",
    "one letter": b"P",
    "half a preface": b"PRI * HTTP/2.0\r\n",
    "a preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "half a head": b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n",
    "line ends": b"\r\n\r\n\r\n",
}


@pytest.mark.parametrize("said", SAID)
def test_a_connection_without_a_request_is_closed(impatient: Server, said: str) -> None:
    async def scene() -> None:
        async with await Connection.to(impatient.port) as connection:
            await connection.send(SAID[said])
            await gone(connection)

    asyncio.run(scene())


def test_a_connection_that_has_become_idle_is_closed(impatient: Server) -> None:
    async def scene() -> None:
        async with await Connection.to(impatient.port) as connection:
            assert (await connection.ask("POST", CHAT, chat())).status == 200
            await gone(connection)

    asyncio.run(scene())


ENVELOPES = [
    (CHAT, lambda answer: answer["error"]["code"] == "request_timeout"),
    ("/v1/messages", lambda answer: answer["error"]["type"] == "timeout_error"),
    (
        "/v1beta/models/gemini-2.5-flash:generateContent",
        lambda answer: answer["error"]["status"] == "DEADLINE_EXCEEDED",
    ),
    ("/v1/nothing", lambda answer: answer["error"]["code"] == "request_timeout"),
]


@pytest.mark.parametrize(("path", "fits"), ENVELOPES)
@pytest.mark.parametrize("way", ["silent", "chunked", "drip"])
def test_a_body_that_does_not_come_to_an_end_gets_408(
    impatient: Server, path: str, fits: Callable[[object], bool], way: str
) -> None:
    before = dropped(impatient, "body_timeout_ms")
    part = request("POST", path, chat())[:-20]
    if way == "chunked":
        part = chunked(chat())[:-20].replace(CHAT.encode(), path.encode())

    async def scene() -> None:
        async with await Connection.to(impatient.port) as connection:
            await connection.send(part)
            dripping = asyncio.ensure_future(drip(connection)) if way == "drip" else None
            async with asyncio.timeout(SECONDS):
                answer = await connection.answer()
            assert answer.status == 408
            assert fits(json.loads(answer.body)), answer.body
            if dripping is not None:
                dripping.cancel()
            await gone(connection)

    asyncio.run(scene())
    assert dropped(impatient, "body_timeout_ms") == before + 1
    assert settled(impatient.port)["requests"]["active"] == 0


async def drip(connection: Connection) -> None:
    """A byte of the body now and then, but never all."""
    for _ in range(19):
        await asyncio.sleep(0.1)
        await connection.send(b" ")


def test_over_http_2_only_the_request_ends(impatient: Server) -> None:
    async def scene() -> None:
        async with await Http2.to(impatient.port) as client:
            unfinished = await client.ask(chat()[:-5], whole=False)
            status, body = await client.answer(unfinished)
            assert (status, json.loads(body)["error"]["code"]) == (408, "request_timeout")
            assert (await client.answer(await client.ask(chat())))[0] == 200

    asyncio.run(scene())
    settled(impatient.port)


def test_a_body_too_large_is_refused_before_it_is_sent(impatient: Server) -> None:
    head = request("GET", CHAT, b"", "Content-Length: 999999999", "Expect: 100-continue")

    async def scene() -> None:
        async with await Connection.to(impatient.port) as connection:
            await connection.send(head.replace(b"GET", b"POST", 1))
            answer = await connection.answer()
            assert answer.status == 413
            assert "33554432" in answer.json()["error"]["message"]

    asyncio.run(scene())


def test_one_that_fits_is_asked_for(impatient: Server) -> None:
    body = chat()
    head, _, _ = post(body, "Expect: 100-continue").rpartition(body)

    async def scene() -> None:
        async with await Connection.to(impatient.port) as connection:
            await connection.send(head)
            assert (await connection.head()).status == 100
            await connection.send(body)
            assert (await connection.answer()).status == 200

    asyncio.run(scene())
