"""Whose details are kept, and that no secret is among them."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from llmsim.config import Config, JournalSettings
from llmsim.core import Plan
from llmsim.core.api_keys import ApiKey
from llmsim.core.errors import Failure, FailureKind
from llmsim.engine.plan import failed
from llmsim.pipeline.context import Call
from llmsim.server.journal.recorder import MOST_OPEN, MOST_SAMPLED, Recorders
from llmsim.state.shm.request_details import decoded
from tests.pipeline.simulated import Simulated

SECOND = 1_000_000


def recorders(details: int = 3, frames: bool = False, config: Config | None = None) -> Recorders:
    made = replace(config or Config(), journal=JournalSettings(details, frames))
    return Recorders(lambda: made, lambda: 0)


@pytest.fixture
def call(tmp_path: Path) -> Call:
    headers = {
        "authorization": "Bearer sk-secret-secret-1234",
        "cookie": "other=secret; session=1",
        "x-trace": "7",
    }
    made = Simulated(tmp_path).call(headers=headers)
    made.caller.path = "/v1/chat/completions"
    made.caller.query = "a=1&key=secret-secret-5678&api_key=secret-secret-9999"
    made.rule = "errors"
    return made


PLAIN = failed(Failure(FailureKind.OVERLOADED, ""), 529, b"{}")
STREAM = structs.replace(PLAIN, stream=True)


def kept(made: Recorders, call: Call, plan: Plan, start: int) -> bool:
    recorder = made.recorder(call, plan, start)
    if recorder is None:
        return False
    recorder.ended(None, None, (0, 0, 0, 0))
    return True


def test_so_many_a_second(call: Call) -> None:
    made = recorders(3)
    assert [kept(made, call, PLAIN, 7 * SECOND + n) for n in range(5)] == [True] * 3 + [False] * 2
    assert kept(made, call, PLAIN, 8 * SECOND)
    assert not kept(recorders(0), call, PLAIN, 0)


def test_all_streams_where_their_frames_are_wanted(call: Call) -> None:
    made = recorders(1, frames=True)
    assert [kept(made, call, STREAM, n) for n in range(4)] == [True] * 4
    assert [kept(made, call, PLAIN, n) for n in range(2)] == [True, False]


@pytest.mark.parametrize(("frames", "most"), [(True, MOST_OPEN), (False, MOST_SAMPLED)])
def test_not_more_than_so_many_at_a_time(call: Call, frames: bool, most: int) -> None:
    made = recorders(10_000, frames)
    opened = [made.recorder(call, STREAM, n) for n in range(most + 1)]
    assert opened[-1] is None
    assert opened[0] is not None
    opened[0].ended(None, None, (0, 0, 0, 0))
    assert made.recorder(call, STREAM, 0) is not None


@pytest.mark.parametrize(
    ("keys", "shown"), [((), "sk-…1234"), ((ApiKey("sk-secret-secret-1234", "alice"),), "alice")]
)
def test_no_secret_is_kept(call: Call, keys: tuple[ApiKey, ...], shown: str) -> None:
    recorder = recorders(config=Config(keys=keys)).recorder(call, PLAIN, 0)
    assert recorder is not None
    recorder.answered([("a", "b")], b"whole")
    failure = Failure(FailureKind.OVERLOADED, "busy")
    encoded = recorder.ended(failure, None, (0, 0, 0, 0))
    assert b"secret" not in encoded
    details = decoded(encoded)
    assert details is not None
    assert dict(details.headers)["authorization"] == "Bearer sk-…1234"
    assert dict(details.headers)["x-trace"] == "7"
    assert details.url == "/v1/chat/completions?a=1&key=sec…5678&api_key=sec…9999"
    assert (details.key, details.rule, details.message) == (shown, "errors", "busy")
    assert (details.answer, details.response_headers) == (b"whole", [("a", "b")])
