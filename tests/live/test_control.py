"""A running server is steered: every worker follows, and nothing takes one down."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.live.http1 import CHAT, chat, post, request
from tests.live.watch import stats, until
from tests.serving import Server

CONFIG = "latency: {profile: instant}\nresponse: {target_tokens: 1}\n"
TOKEN = "s3cret"


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(CONFIG, "--workers", "4") as server:
        yield server
        assert "Traceback" not in server.output()


@pytest.fixture
def client(sim: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sim.url, timeout=30) as made:
        yield made
        made.put("/llmsim/config", json={"response": {"target_tokens": 1}, "errors": None})


def said(sim: Server, model: str = "gpt-4o", **headers: str) -> int:
    """Completion tokens of an answer over a new connection, so that any worker gives it."""
    with socket.create_connection(("127.0.0.1", sim.port)) as connection:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall(post(chat(model=model), *lines, "connection: close"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    found = json.loads(answer.partition(b"\r\n\r\n")[2])
    return int(found["usage"]["completion_tokens"])


def test_what_is_asked_after_a_change_sees_it_on_every_worker(
    sim: Server, client: httpx.Client
) -> None:
    for tokens in range(2, 12):
        assert client.patch("/llmsim/config/response", json={"target_tokens": tokens}).is_success
        assert {said(sim) for _ in range(16)} == {tokens}


def test_a_worker_that_comes_later_goes_by_the_change(sim: Server, client: httpx.Client) -> None:
    client.patch("/llmsim/config/response", json={"target_tokens": 5})
    until(lambda: stats(sim.port)["workers"], lambda now: len(now) == 4)
    victim = stats(sim.port)["workers"][0]["pid"]
    os.kill(victim, signal.SIGKILL)

    def pids() -> list[int]:
        with suppress(OSError):  # the killed worker may have taken the connection
            return [one["pid"] for one in stats(sim.port)["workers"]]
        return []

    until(
        pids,
        lambda now: len(now) == 4 and victim not in now,
    )
    assert {said(sim) for _ in range(40)} == {5}


@pytest.mark.parametrize(
    ("method", "path", "body", "form", "status"),
    [
        ("PATCH", "errors", '{"rate_limit_rte": 1}', "application/json", 400),
        ("PATCH", "errors", "{", "application/json", 400),
        ("PATCH", "errors", "a: [", "application/yaml", 400),
        ("PATCH", "errors", "{}", "text/plain", 415),
        ("PATCH", "config/nothing", "{}", "application/json", 400),
        ("PUT", "config", '{"server": {"port": 1}}', "application/json", 400),
        ("PUT", "config", "[]", "application/json", 400),
        ("GET", "config/nothing", "", "application/json", 400),
        ("DELETE", "mocks/nothing", "", "application/json", 400),
    ],
)
def test_a_faulty_change_is_refused_whole(
    client: httpx.Client, method: str, path: str, body: str, form: str, status: int
) -> None:
    before = client.get("/llmsim/config").json()
    answer = client.request(method, f"/llmsim/{path}", content=body, headers={"content-type": form})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert client.get("/llmsim/config").json() == before


def test_a_page_of_another_site_changes_nothing(client: httpx.Client) -> None:
    for head in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert client.post("/llmsim/reset", headers=head).status_code == 403
    assert client.post("/llmsim/reset", headers={"origin": str(client.base_url)}).is_success


@pytest.mark.parametrize("http2", [False, True])
def test_a_page_under_another_name_of_the_server_gets_nothing(sim: Server, http2: bool) -> None:
    """DNS rebinding: Host and Origin are the page's own, so to the browser it is the same site."""
    page = {"host": f"evil.example:{sim.port}", "origin": f"http://evil.example:{sim.port}"}
    with httpx.Client(base_url=sim.url, http1=not http2, http2=http2, headers=page) as rebound:
        rate = {"server_error_rate": 1}
        assert rebound.patch("/llmsim/errors", json=rate).status_code == 403
        for path in (
            "",
            "/",
            "/requests",
            "/requests/x",
            "/config",
            "/stats",
            "/limits",
            "/events",
        ):
            answer = rebound.get(f"/llmsim{path}")
            assert answer.status_code == 403, path
            assert "server.allowed_hosts" in answer.json()["error"]["message"]
        assert rebound.post(CHAT, content=chat()).status_code == 200


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//", "]", "http://a:b:c"])
def test_an_origin_that_is_no_url_is_another_site(client: httpx.Client, origin: str) -> None:
    assert client.post("/llmsim/reset", headers={"origin": origin}).status_code == 403


def test_names_can_be_allowed_and_open_doors_are_told(configured: Callable[..., Server]) -> None:
    with configured("server: {allowed_hosts: [sim.example]}\nkeys: [sk-1]\n") as sim:
        head = {"host": f"sim.example:{sim.port}", "origin": f"http://sim.example:{sim.port}"}
        assert httpx.post(sim.url + "/llmsim/reset", headers=head).status_code == 200
        doors = [line for line in sim.output().splitlines() if "keys do not protect" in line]
        assert len(doors) == 1
        assert "control.token" in doors[0]


def test_without_a_control_api(configured: Callable[..., Server]) -> None:
    with configured("control: {enabled: false, token: s3cret}\n") as sim:
        for path in (
            "",
            "/",
            "/stats",
            "/config",
            "/requests",
            "/web/app.js",
            "/events",
            "/nothing",
        ):
            for method in ("GET", "PATCH"):
                answer = httpx.request(method, f"{sim.url}/llmsim{path}")
                assert answer.status_code == 404, path
                assert "control.enabled" in answer.json()["error"]["message"]
        for path in ("/health", "/ready", "/metrics"):
            assert httpx.get(sim.url + path).status_code == 200
        assert httpx.post(sim.url + CHAT, content=chat()).status_code == 200
        code, _, err = ctl(sim, "get", "errors")
        assert (code, "control.enabled is false" in err) == (1, True)


NAMES = (
    "match response content content_regex model rules first status name rate_limit_rate profile "
    "faults cut tool_calls all times priority"
)
KEYS = st.text(max_size=4) | st.sampled_from(NAMES.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
SECTIONS = st.sampled_from(["errors", "latency", "limits", "mocks", "config/scripts", "config"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=SECTIONS, method=st.sampled_from(["PATCH", "PUT", "POST"]), body=JSON)
def test_nothing_that_is_sent_takes_a_worker_down(
    sim: Server, client: httpx.Client, path: str, method: str, body: object
) -> None:
    if method == "POST":
        path = "mocks"
    text = json.dumps(body)
    head = {"content-type": "application/json"}
    answer = client.request(method, f"/llmsim/{path}", content=text, headers=head)
    assert answer.status_code in (200, 400), answer.text
    client.delete("/llmsim/mocks")


def test_first_is_exact_over_all_workers(sim: Server, client: httpx.Client) -> None:
    head = {"x-llmsim-error": "503; first=7; key=exact"}
    seen = []
    for _ in range(30):
        answer = httpx.post(sim.url + CHAT, content=chat(), headers=head)
        seen.append(answer.status_code)
    assert seen == [503] * 7 + [200] * 23
    assert client.post("/llmsim/reset").is_success
    assert httpx.post(sim.url + CHAT, content=chat(), headers=head).status_code == 503


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        (CHAT, {"messages": [{"role": "user", "content": "hi"}]}, "gpt-4o"),
        ("/v1/responses", {"input": "hi"}, "gpt-4o"),
        (
            "/v1/messages",
            {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
            "claude-opus-4-1-20250805",
        ),
    ],
)
def test_a_suffix_directs_and_is_not_told(
    client: httpx.Client, path: str, body: dict[str, object], model: str
) -> None:
    named = f"{model}@llmsim:seed=7;generator=fixed:Hello"
    answer = client.post(path, json=body | {"model": named})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-llmsim-seed"] == "7"
    assert answer.json()["model"].startswith(model[:6])
    assert "@llmsim" not in answer.text
    assert "Hello" in answer.text
    failing = client.post(path, json=body | {"model": f"{model}@llmsim:error=503"})
    assert failing.status_code == 503
    assert "@llmsim" not in failing.text


def test_geminis_path_takes_a_suffix(client: httpx.Client) -> None:
    path = "/v1beta/models/gemini-2.0-flash@llmsim:{}:generateContent"
    body = {"contents": [{"parts": [{"text": "hi"}]}]}
    answer = client.post(path.format("generator=fixed:Hello"), json=body)
    assert answer.json()["modelVersion"] == "gemini-2.0-flash"
    assert "Hello" in answer.text
    assert client.post(path.format("error=429"), json=body).status_code == 429


def test_a_wrong_direction_is_told_in_the_providers_words(client: httpx.Client) -> None:
    answer = client.post(CHAT, content=chat(), headers={"x-llmsim-latency": "slowly"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["error"]["param"] == "x-llmsim-latency"


def test_directions_can_be_switched_off(configured: Callable[..., Server]) -> None:
    with configured(CONFIG + "control: {headers: false}\n") as sim:
        head = {"x-llmsim-error": "503"}
        assert httpx.post(sim.url + CHAT, content=chat(), headers=head).status_code == 200


def test_a_token_is_wanted_by_all_that_tells_or_changes(configured: Callable[..., Server]) -> None:
    with configured(f"control: {{token: {TOKEN}, protect_metrics: true}}\n") as sim:
        closed = ("config", "errors", "limits", "stats", "requests", "events")
        for path in (*(f"/llmsim/{name}" for name in closed), "/metrics"):
            for head in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}):
                assert httpx.get(sim.url + path, headers=head).status_code == 401, path
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert TOKEN not in httpx.get(sim.url + "/llmsim/config", headers=bearer).text
        for path in ("/llmsim/config", "/metrics", "/llmsim/", "/health"):
            assert httpx.get(sim.url + path, headers=bearer).status_code == 200
        assert httpx.get(sim.url + "/llmsim/").status_code == 200
        assert httpx.post(sim.url + CHAT, content=chat()).status_code == 200


def test_sighup_takes_the_file_again_and_streams_go_on(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    file = tmp_path / "sim.yaml"
    file.write_text(CONFIG)
    with serve("--workers", "2", "--config", str(file)) as sim:
        workers = {one["pid"] for one in stats(sim.port)["workers"]}
        slow = {"x-llmsim-latency": "ttft_mean_ms=0,tbt_mean_ms=50", "x-llmsim-target-tokens": "30"}
        body = chat(stream=True)
        with httpx.stream("POST", sim.url + CHAT, content=body, headers=slow) as stream:
            lines = stream.iter_lines()
            next(lines)
            file.write_text(CONFIG.replace("1", "3"))
            os.kill(sim.pid, signal.SIGHUP)
            until(lambda: said(sim), lambda tokens: tokens == 3)
            file.write_text("response: {target_tokens: none}\nlatncy: 1\n")
            os.kill(sim.pid, signal.SIGHUP)
            until(sim.output, lambda text: "not reloaded" in text)
            file.write_text("")
            os.kill(sim.pid, signal.SIGHUP)
            until(sim.output, lambda text: f"{file}: is empty" in text)
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert {said(sim) for _ in range(8)} == {3}
        assert {one["pid"] for one in stats(sim.port)["workers"]} == workers
        assert f"{file}:1: response.target_tokens" in sim.output()
        assert f"{file}:2: latncy" in sim.output()


@pytest.mark.timed
def test_a_client_that_stalls_is_dropped_and_others_go_on(
    configured: Callable[..., Server],
) -> None:
    with configured("server: {stall_timeout_ms: 500}\n") as sim:
        flood = ("x-llmsim-latency: ttft_mean_ms=0,tbt_mean_ms=0.02",)
        flood += ("x-llmsim-target-tokens: 900000",)
        with socket.create_connection(("127.0.0.1", sim.port)) as stalled:
            body = chat(model="mine", stream=True)
            stalled.sendall(request("POST", CHAT, body, *flood))
            until(lambda: stats(sim.port)["requests"], lambda now: now["aborted"] == 1)
            assert said(sim, x_llmsim_latency="instant", x_llmsim_target_tokens="4") == 4
        assert stats(sim.port)["requests"]["active"] == 0


def ctl(sim: Server, *args: str, text: str = "") -> tuple[int, str, str]:
    command = [sys.executable, "-m", "llmsim", "ctl", "--url", sim.url, *args]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_ctl(sim: Server, client: httpx.Client) -> None:
    code, out, _ = ctl(sim, "set", "response.target_tokens=6")
    assert (code, "target_tokens: 6\n" in out, said(sim)) == (0, True, 6)
    code, out, err = ctl(sim, "set", "response.target_tokns=6")
    assert (code, out) == (2, "")
    assert "response.target_tokns: unknown key (did you mean target_tokens?)" in err
    assert ctl(sim, "apply", text="response: {target_tokens: 8}")[0] == 0
    assert said(sim) == 8
    assert ctl(sim, "--json", "get", "seed")[:2] == (0, "null\n")
    for command in ("reset", "restart-timetable", "reload", "limits", "mocks"):
        assert ctl(sim, command)[0] == 0, command
    assert said(sim) == 1  # the file says so
