"""What requests get that neither a mock nor a recording answers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from llmsim.core import ConnectionEnd
from llmsim.core.errors import BadRequest, ConfigError, Failure, FailureKind
from llmsim.pipeline.context import Call
from tests.pipeline.simulated import Simulated, said

SERVICE = "proxy: {upstreams: {openai: 'http://service.example'}}\n"


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("on_miss: simulate", 200, ""),
        ("on_miss: fail", 404, "Neither a mock nor a recording answers this request."),
        ("on_miss: {models: {'gpt-*': fail}}", 404, "Neither"),
        ("on_miss: {default: fail, models: {'gpt-*': simulate, '*': fail}}", 200, ""),
        ("on_miss: fail\nmocks: [{response: Mocked.}]", 200, "Mocked."),
        ("on_miss: fail\nmocks: [{match: {model: other}, response: Mocked.}]", 404, "Neither"),
        ("mocks: [{response: {on_miss: fail}}]", 404, "Neither"),
        ("on_miss: fail\nmocks: [{response: {on_miss: simulate}}]", 200, ""),
        ("on_miss: proxy", 502, "not asked here"),  # as in `llmsim plan`
    ],
)
def test_what_nobody_answers(tmp_path: Path, text: str, status: int, words: str) -> None:
    plan = Simulated(tmp_path, SERVICE + text).ask("Hello")
    assert plan.status == status
    assert words in said(plan)


def test_who_failed_it(tmp_path: Path) -> None:
    simulated = Simulated(tmp_path, "on_miss: fail")
    call = simulated.call()
    assert simulated.plan(call).status == 404
    assert call.rule == "on_miss"


class Passing:
    """Services that answer at once, and how that was bent."""

    def __init__(self, status: int = 200, failure: Failure | None = None) -> None:
        self.status, self.failure = status, failure
        self.headers = [("content-type", "application/json")]
        self.length, self.waited = 9, 0.25
        self.asked: list[tuple[str, bytes]] = []
        self.shaper: Any = None

    async def open(self, provider: str, caller: object, body: bytes) -> "Passing":
        self.asked.append((provider, body))
        if self.failure is not None:
            raise BadRequest(self.failure)
        return self

    def deferred(self, prompt_tokens: int, shaper: object) -> "Passing":
        assert prompt_tokens > 0
        self.shaper = shaper
        return self

    def begin(self, playback: object) -> None:
        raise AssertionError("the writer begins it")

    def release(self) -> None:
        raise AssertionError("the handler lets go of it")


def passing(folder: Path, text: str, **answer: Any) -> tuple[Simulated, Passing]:
    simulated, service = Simulated(folder, SERVICE + text), Passing(**answer)
    simulated.with_state(upstreams=service)
    return simulated, service


@pytest.mark.parametrize(
    "text",
    [
        "on_miss: proxy",
        "on_miss: {models: {'gpt-*': proxy}}",
        "mocks: [{match: {content_contains: Say}, response: {on_miss: proxy}}]",
        "scripts: [{turns: [{on_miss: proxy}]}]",
    ],
)
def test_passed_on(tmp_path: Path, text: str) -> None:
    simulated, service = passing(tmp_path, text)
    call = simulated.call()
    plan = simulated.plan(call)
    assert service.asked == [("openai", call.body)]
    assert plan.deferred is call.upstream is service
    assert (plan.status, plan.length, plan.headers) == (200, 9, service.headers)
    assert (plan.ttft, plan.failure, len(plan.frames), service.shaper) == (0.25, None, 0, None)
    assert plan.completion is not None
    assert plan.completion.usage.prompt > 0


def test_its_errors_count_as_errors(tmp_path: Path) -> None:
    simulated, _ = passing(tmp_path, "on_miss: proxy", status=429)
    plan = simulated.plan(simulated.call(stream=True))
    assert (plan.status, plan.stream) == (429, False)
    assert plan.failure == Failure(FailureKind.RATE_LIMIT, "")


def test_a_service_that_does_not_answer_fails_in_the_providers_words(tmp_path: Path) -> None:
    failure = Failure(FailureKind.TIMEOUT, "Not in time.")
    simulated, _ = passing(tmp_path, "on_miss: proxy", failure=failure)
    plan = simulated.plan(simulated.call())
    assert plan.status == 504
    assert "Not in time." in said(plan)


@pytest.mark.parametrize(
    ("text", "status", "headers"),
    [
        ("errors: {rules: [{model: '*', first: 1, kind: bad_gateway}]}", 502, {}),
        ("rate_limits: [{tokens_per_minute: 1}]", 429, {}),
        ("mocks: [{response: Mocked.}]", 200, {}),
        ("", 503, {"x-llmsim-error": "503"}),
        ("errors: {rules: [{model: '*', first: 1, fault: {reset: {}}}]}", 200, {}),
    ],
)
def test_others_decide_first(
    tmp_path: Path, text: str, status: int, headers: dict[str, str]
) -> None:
    simulated, service = passing(tmp_path, f"on_miss: proxy\n{text}")
    plan = simulated.plan(simulated.call(headers=headers))
    assert plan.status == status
    assert service.asked == []
    if "reset" in text:
        assert plan.ending is ConnectionEnd.UNANSWERED


@pytest.mark.parametrize(
    ("text", "headers", "due"),
    [
        ("", {"x-llmsim-itl-factor": "3"}, 1.5),
        ("", {"x-llmsim-latency": "ttft_ms=2000,itl_ms=10"}, 2.0),
        ("mocks: [{response: {on_miss: proxy, latency: {ttft_ms: 2000, itl_ms: 10}}}]", {}, 2.0),
        ("timetable: [{itl_factor: 3}]", {}, 1.5),
    ],
)
def test_latency_overrides_apply(
    tmp_path: Path, text: str, headers: dict[str, str], due: float
) -> None:
    simulated, service = passing(tmp_path, f"on_miss: proxy\n{text}")
    simulated.plan(simulated.call(headers=headers, max_tokens=1))
    ((_, at),) = service.shaper.shaped(b"{}", 0.5)
    assert at == pytest.approx(due)


def test_a_fault_strikes_in_its_middle(tmp_path: Path) -> None:
    text = "on_miss: proxy\nerrors: {rules: [{model: '*', first: 1, fault: {malformed: {}}}]}"
    simulated, service = passing(tmp_path, text)
    plan = simulated.plan(simulated.call())
    assert plan.length is None, "the body gets shorter"
    ((frame, _),) = service.shaper.shaped(b'{"a":123}', 0.5)
    assert len(frame) < 9


def test_nobody_is_asked_for_who_does_not_wait(tmp_path: Path) -> None:
    simulated, service = passing(tmp_path, "on_miss: proxy")
    assert simulated.plan(simulated.call(waiting=False)).status == 200
    assert service.asked == []


class Forgetful:
    """Knows nothing of what a request builds on."""

    async def recall(self, request: object) -> object:
        raise BadRequest(Failure(FailureKind.NOT_FOUND, "What was that?"))


@pytest.mark.parametrize(
    ("text", "status"), [("on_miss: proxy", 200), ("on_miss: {models: {a: proxy}}", 404), ("", 404)]
)
def test_a_service_may_know_what_is_not_known_here(tmp_path: Path, text: str, status: int) -> None:
    simulated, _ = passing(tmp_path, text)
    call = simulated.call()
    call.memory = Forgetful()  # type: ignore[assignment]
    assert planned(simulated, call) == status


def planned(simulated: Simulated, call: Call) -> int:
    return asyncio.run(simulated.pipeline.plan(call)).status


def test_on_miss_needs_a_service(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="on_miss: there is no service to ask"):
        Simulated(tmp_path, "on_miss: {models: {a: proxy}}")
