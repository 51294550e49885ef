"""With a seed the same request has the same answer and the same times, whichever worker answers."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live.http1 import Answer, chat, in_turn, post
from tests.live.workers import by_both_workers
from tests.serving import Server

REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "streamed": {"stream": True, "stream_options": {"include_usage": True}},
    "three choices": {"n": 3},
    "three choices, streamed": {"n": 3, "stream": True},
    "log probabilities": {"logprobs": True, "top_logprobs": 3},
    "log probabilities, streamed": {"logprobs": True, "top_logprobs": 3, "stream": True},
    "reasoning": {"model": "o3"},
    "stopped": {"stop": [" a", " et"]},
    "short": {"max_tokens": 3, "stream": True},
}


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server]) -> Iterator[Server]:
    with serve("--workers", "2", "--latency", "fast", "--seed", "7") as server:
        yield server


@pytest.fixture(scope="module")
def same(serve: Callable[..., Server]) -> Iterator[Server]:
    """Another launch with the same seed."""
    with serve("--workers", "2", "--latency", "fast", "--seed", "7") as server:
        yield server


@pytest.fixture(scope="module")
def unseeded(serve: Callable[..., Server]) -> Iterator[Server]:
    with serve("--workers", "2", "--latency", "fast") as server:
        yield server


def said(answer: Answer) -> tuple[bytes, str, str]:
    """What must not change: the body but for id and time, the seed and the planned times."""
    assert answer.status == 200, answer
    body = re.sub(rb'"id":"[^"]*"', b'"id":""', answer.body)
    body = re.sub(rb'"created":\d+', b'"created":0', body)
    return body, answer.headers["x-llmsim-seed"], answer.headers["server-timing"]


@pytest.mark.parametrize("fields", REQUESTS.values(), ids=REQUESTS)
def test_the_servers_seed_settles_the_whole_answer(
    sim: Server, same: Server, fields: dict[str, Any]
) -> None:
    answers = by_both_workers(sim.port, chat("tell me", **fields))
    answers += in_turn(same.port, post(chat("tell me", **fields)))
    assert len(set(map(said, answers))) == 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


@pytest.mark.parametrize("fields", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("seed", [0, -9007199254740991])
def test_the_clients_seed_does_as_well(
    sim: Server, unseeded: Server, seed: int, fields: dict[str, Any]
) -> None:
    body = chat("tell me", seed=seed, **fields)
    answers = by_both_workers(unseeded.port, body) + in_turn(sim.port, post(body))
    assert len(set(map(said, answers))) == 1
    assert answers[0].headers["x-llmsim-seed"] == str(seed)


def test_other_requests_and_other_seeds_have_other_answers(sim: Server) -> None:
    bodies = [
        chat("tell me"),
        chat("tell me more"),
        chat("tell me", seed=1),
        chat("tell me", seed=2),
    ]
    answers = in_turn(sim.port, *map(post, bodies))
    for column in zip(*map(said, answers), strict=True):
        assert len(set(column)) == len(bodies)


def test_without_a_seed_no_two_answers_are_the_same(unseeded: Server) -> None:
    answers = by_both_workers(unseeded.port, chat("tell me"))
    bodies, seeds, _ = zip(*map(said, answers), strict=True)
    assert len(set(bodies)) == len(set(seeds)) == len(answers)


def test_the_seed_in_the_head_repeats_an_answer(unseeded: Server) -> None:
    (first,) = in_turn(unseeded.port, post(chat("tell me")))
    seed = int(first.headers["x-llmsim-seed"])
    (again,) = in_turn(unseeded.port, post(chat("tell me", seed=seed)))
    assert said(again) == said(first)
