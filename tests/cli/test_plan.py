"""``llmsim plan``: what the server would answer, without a server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from llmsim.providers import registry
from tests.cli.conftest import Run
from tests.serving import Server


def body(**fields: object) -> bytes:
    messages = [{"role": "user", "content": "Tell me about llamas."}]
    return json.dumps({"model": "gpt-4o", "messages": messages, **fields}).encode()


def planned(
    run: Run, *args: str, request: bytes, exits: int = 0, **variables: str
) -> dict[str, Any]:
    result = run("plan", "--json", *args, input=request, **variables)
    assert result.exit_code == exits, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def test_plain_answer_is_one_frame_due_with_the_last_token(run: Run) -> None:
    made = planned(run, "--target-tokens", "12", request=body())
    (frame,) = made["frames"]
    assert made["status"] == 200
    assert not made["stream"]
    assert 0 < made["ttft_ms"] < made["total_ms"] == frame["due_ms"]
    answer = json.loads(frame["frame"])
    assert answer["usage"]["completion_tokens"] == made["usage"]["completion"] == 12


def test_stream_has_a_frame_for_each_token_each_due_no_earlier_than_the_last(run: Run) -> None:
    request = body(stream=True)
    made = planned(run, "--target-tokens", "12", "--latency", "fast", request=request)
    due = [frame["due_ms"] for frame in made["frames"]]
    assert made["stream"]
    assert len(due) == 1 + 12 + 1 + 1
    assert due == sorted(due)
    assert due[0] == made["ttft_ms"]
    assert due[-1] == made["total_ms"]
    assert made["frames"][-1]["frame"] == "data: [DONE]\n\n"


def test_table_shows_the_same(run: Run) -> None:
    args = ("--seed", "7", "--target-tokens", "3", "--latency", "fast")
    made = planned(run, *args, request=body(stream=True))
    facts, empty, head, *rows = run("plan", *args, input=body(stream=True)).stdout.splitlines()
    assert facts.startswith("status 200, seed 7, ttft ")
    assert empty == ""
    assert head.split() == ["DUE", "MS", "BYTES", "FRAME"]
    assert len(rows) == len(made["frames"])
    for row, frame in zip(rows, made["frames"], strict=True):
        due, size, said = row.split(maxsplit=2)
        assert float(due) == pytest.approx(frame["due_ms"], abs=0.051)
        assert int(size) == len(frame["frame"].encode())
        assert said == frame["frame"].rstrip("\n")


def test_reads_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_bytes(body(seed=1))
    assert planned(run, str(path), request=b"") == planned(run, request=body(seed=1))


def test_seed_of_the_flag_then_of_the_body_then_of_the_configuration(run: Run) -> None:
    assert planned(run, "--seed", "3", request=body(seed=4), LLMSIM_SEED="5")["seed"] == 3
    assert planned(run, request=body(seed=4), LLMSIM_SEED="5")["seed"] == 4
    configured = planned(run, request=body(), LLMSIM_SEED="5")
    assert planned(run, request=body(), LLMSIM_SEED="5") == configured
    assert planned(run, request=body(), LLMSIM_SEED="6")["seed"] != configured["seed"]
    assert planned(run, request=body())["seed"] != planned(run, request=body())["seed"]


def test_a_refused_request_has_a_plan_too(run: Run) -> None:
    made = planned(run, request=b"{}", exits=1)
    (frame,) = made["frames"]
    assert (made["status"], frame["due_ms"], made["usage"]) == (400, 0, None)
    assert "error" in json.loads(frame["frame"])
    assert run("plan", input=b"{}").stdout.startswith("status 400\n\n")


def test_configuration_and_flags_count(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("response: {generator: sequence, sequence: [one, two]}", encoding="utf-8")
    args = ("--config", str(path), "--latency", "instant")
    for turn, said in ((), "one"), (("--turn", "1"), "two"), (("--generator", "fixed:X"), "X"):
        made = planned(run, *args, *turn, request=body())
        assert made["total_ms"] == 0
        answer = json.loads(made["frames"][0]["frame"])
        assert answer["choices"][0]["message"]["content"] == said


def test_faults_and_an_unknown_dialect(run: Run) -> None:
    result = run("plan", "--latency", "quick", input=body())
    assert result.exit_code == 2
    assert result.stderr.startswith("--latency: latency.profile: must be ")
    result = run("plan", "--dialect", "klingon", input=body())
    assert result.exit_code == 2


@pytest.mark.parametrize("name", registry.by_codec())
def test_every_dialect_is_there_under_its_own_name(run: Run, name: str) -> None:
    made = planned(run, "--dialect", name, request=b"", exits=1)
    assert made["status"] == 400
    assert name in run("plan", "--help").stdout.replace("\n", "").replace(" ", "")


def test_the_server_answers_what_was_planned(run: Run, serve: Callable[..., Server]) -> None:
    args = ("--latency", "instant", "--target-tokens", "20")
    with serve("--workers", "2", "--seed", "5", *args) as sim:
        for fields in ({}, {"stream": True}, {"seed": 8}, {"n": 2, "stream": True}):
            request = body(**fields)
            made = planned(run, *args, request=request, LLMSIM_SEED="5")
            seed, answer = asked(sim.port, request)
            assert seed == made["seed"]
            assert masked(answer) == masked("".join(frame["frame"] for frame in made["frames"]))


def asked(port: int, request: bytes) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/v1/chat/completions", request)
    response = connection.getresponse()
    answer = response.read().decode()
    connection.close()
    return int(response.headers["x-llmsim-seed"]), answer


def masked(answer: str) -> str:
    """An answer without what sets it apart from any other."""
    return re.sub(r'"id":"[^"]*"|"created":\d+', "", answer)
