"""What HTTP lets a client do: methods, paths, framings, and the other version of the protocol."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from json import loads

import httpx
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from tests.live.http1 import (
    CHAT,
    HOST,
    Answer,
    Connection,
    chat,
    chunked,
    in_turn,
    post,
    request,
)
from tests.live.watch import read, settled, stats, until
from tests.serving import Server

CONFIG = """
models: {available: [gpt-4o, meta-llama/Llama-4-70B, "ft:gpt-4o:acme::x1", ünïcode]}
latency: {profile: instant}
"""


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(CONFIG) as server:
        yield server
        assert "Traceback" not in server.output()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_chunked_body_is_read_whole(sim: Server, size: int) -> None:
    body = chat("how many tokens are these?", seed=5)
    one, other = in_turn(sim.port, chunked(body, size), post(body))
    assert one.json()["usage"] == other.json()["usage"]
    assert one.json()["choices"] == other.json()["choices"]


def test_a_client_that_expects_100_continue_is_told_to(sim: Server) -> None:
    body = chat()
    whole = post(body, "Expect: 100-continue")

    async def scene() -> tuple[int, int]:
        async with await Connection.to(sim.port) as connection:
            await connection.send(whole[: -len(body)])
            interim = await connection.head()
            await connection.send(body)
            return interim.status, (await connection.answer()).status

    assert asyncio.run(scene()) == (100, 200)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/embeddings", 405),
        ("OPTIONS", CHAT, 405),
        ("DELETE", CHAT, 405),
        ("BREW", CHAT, 405),
        ("post", CHAT, 405),
        ("POST", "/v1/models", 405),
        ("GET", "/nowhere", 404),
        ("GET", CHAT + "/", 404),
        ("BREW", "/v1/coffee", 404),
        ("POST", "/v1//chat/completions", 404),
    ],
)
def test_what_is_not_served_is_refused_in_the_providers_words(
    sim: Server, method: str, path: str, status: int
) -> None:
    (answer,) = in_turn(sim.port, request(method, path))
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert path.rstrip("/") in error["message"]
    assert ("allow" in answer.headers) == (status == 405)


def test_what_llmsim_itself_does_not_serve_is_refused_in_its_own_words(sim: Server) -> None:
    (answer,) = in_turn(sim.port, request("POST", "/llmsim/stats"))
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json()["error"].keys() == {"message"}


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (CHAT, "GET, HEAD, POST"),
        ("/v1/models/gpt-4o", "DELETE, GET, HEAD"),
        (CHAT + "/chatcmpl-1", "DELETE, GET, HEAD, POST"),
        ("/v1/embeddings", "POST"),
    ],
)
def test_a_refused_method_is_told_all_that_are_served(sim: Server, path: str, methods: str) -> None:
    (answer,) = in_turn(sim.port, request("BREW", path))
    assert (answer.status, answer.headers["allow"]) == (405, methods)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health", 200), ("/v1/models", 200), ("/none", 404), ("/v1/embeddings", 405)],
)
def test_a_head_request_gets_a_head_only(sim: Server, path: str, status: int) -> None:
    async def scene() -> tuple[Answer, Answer]:
        async with await Connection.to(sim.port) as connection:
            return await connection.ask("HEAD", path), await connection.ask("GET", "/health")

    answer, after = asyncio.run(scene())
    assert (answer.status, answer.body) == (status, b"")
    assert (after.status, after.json()["status"]) == (200, "ok")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt%2D4o", "gpt-4o"),
        ("meta-llama/Llama-4-70B", "meta-llama/Llama-4-70B"),
        ("meta-llama%2FLlama-4-70B", "meta-llama/Llama-4-70B"),
        ("ft:gpt-4o:acme::x1", "ft:gpt-4o:acme::x1"),
        ("ft%3Agpt-4o%3Aacme%3A%3Ax1", "ft:gpt-4o:acme::x1"),
        ("%C3%BCn%C3%AFcode", "ünïcode"),
    ],
)
def test_model_ids_may_be_percent_encoded(sim: Server, written: str, name: str) -> None:
    status, model = read(sim.port, f"/v1/models/{written}")
    assert (status, model["id"]) == (200, name)


@pytest.mark.parametrize("written", ["none", "%FF", "%zz", "a%00b", "../health"])
def test_other_model_ids_are_not_found(sim: Server, written: str) -> None:
    status, answer = read(sim.port, f"/v1/models/{written}")
    assert (status, answer["error"]["code"]) == (404, "model_not_found")


def test_query_strings_change_nothing(sim: Server) -> None:
    body = chat(seed=1)
    with_query = request("POST", CHAT + "?api-version=2026-01-01&x=%zz", body)
    one, other = in_turn(sim.port, with_query, post(body))
    assert one.json()["choices"] == other.json()["choices"]


def test_header_values_need_not_be_ascii(sim: Server) -> None:
    raw = post(chat(), "Authorization: Bearer caf\xe9", "X-Name: \xff")
    for path in (CHAT, "/v1/nothing"):
        latin = raw.decode().replace(CHAT, path, 1).encode("latin-1")
        (answer,) = in_turn(sim.port, latin)
        assert answer.status == (200 if path == CHAT else 404)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
        request("GET", "/health", b"", *(f"X-{number}: x" for number in range(500))),
    ],
)
def test_what_is_not_http_ends_its_connection_only(sim: Server, raw: bytes) -> None:
    async def scene() -> int:
        async with await Connection.to(sim.port) as connection:
            await connection.send(raw)
            refused = await connection.answer()
            assert await connection.ended()
            return refused.status

    assert 400 <= asyncio.run(scene()) < 500
    assert read(sim.port, "/health")[0] == 200


def test_http2_with_prior_knowledge(sim: Server) -> None:
    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=20) as client:
        plain = client.post(sim.url + CHAT, content=chat(seed=3))
        assert (plain.http_version, plain.status_code) == ("HTTP/2", 200)
        with client.stream("POST", sim.url + CHAT, content=chat(seed=3, stream=True)) as stream:
            *chunks, done = [line[6:] for line in stream.iter_lines() if line]
        assert done == "[DONE]"
        said = "".join(loads(c)["choices"][0]["delta"].get("content", "") for c in chunks)
        assert said == plain.json()["choices"][0]["message"]["content"]
        refused = client.post(sim.url + "/v1/nothing", content=b"x" * 1000)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_url")

        def pieces() -> Iterator[bytes]:
            body = chat(seed=3)
            yield body[:10]
            yield b""
            yield body[10:]

        in_pieces = client.post(sim.url + CHAT, content=pieces())
        assert in_pieces.json()["choices"] == plain.json()["choices"]


def connections(sim: Server) -> int:
    """How many are open, the asking one among them."""
    return sum(worker["open_connections"] for worker in stats(sim.port)["workers"])


@pytest.mark.parametrize("path", [CHAT, "/v1/nothing"])
@pytest.mark.parametrize("resets", [True, False], ids=["resets", "hangs up"])
@pytest.mark.parametrize("sent", [b"", chat()[:10]], ids=["no body", "part of the body"])
def test_an_http2_client_that_leaves_before_its_body_ends_is_forgotten(
    sim: Server, path: str, resets: bool, sent: bytes
) -> None:
    before = connections(sim)
    peer = H2Connection(H2Configuration(client_side=True))
    peer.initiate_connection()
    head = [(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", HOST)]
    peer.send_headers(1, head)
    peer.send_data(1, sent)
    with socket.create_connection((HOST, sim.port), timeout=20) as raw:
        raw.sendall(peer.data_to_send())
        until(lambda: connections(sim), lambda now: now == before + 1)
        if resets:
            peer.reset_stream(1)
            raw.sendall(peer.data_to_send())
            settled(sim.port)
    settled(sim.port)
    until(lambda: connections(sim), lambda now: now == before)


def test_a_body_in_pieces_may_have_trailers(sim: Server) -> None:
    raw = chunked(chat(seed=3)).replace(b"Host:", b"Trailer: x-sum\r\nHost:", 1)
    raw = raw.removesuffix(b"\r\n") + b"x-sum: 1\r\n\r\n"
    assert in_turn(sim.port, raw)[0].status == 200
