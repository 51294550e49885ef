"""API keys: every provider's own way to send one, and its own error for a bad one."""

import os

import orjson
import pytest

from llmsim.server.api_key_auth import ApiKeyAuth
from llmsim.state.shm import layout
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.snapshot import Snapshot

CHAT = "/v1/chat/completions"
CLAUDE = "/v1/messages"
GEMINI = "/v1beta/models/gemini-2.5-pro:generateContent"

Headers = dict[str, str]


KEYS = frozenset({"sk-one", "sk-two"})


@pytest.fixture
def counters() -> WorkerCounters:
    made = WorkerCounters(memoryview(bytearray(layout.SIZE)))
    made.take_over(os.getpid())
    return made


@pytest.fixture
def auth(counters: WorkerCounters) -> ApiKeyAuth:
    return ApiKeyAuth(counters)


@pytest.mark.parametrize(
    ("path", "query", "headers"),
    [
        (CHAT, "", {"authorization": "Bearer sk-one"}),
        (CHAT, "", {"authorization": "bearer  sk-two "}),
        (CLAUDE, "", {"x-api-key": "sk-one"}),
        (CLAUDE, "", {"authorization": "Bearer sk-two"}),
        (GEMINI, "", {"x-goog-api-key": "sk-one"}),
        (GEMINI, "alt=sse&key=sk-two", {}),
        ("/v1/models", "", {"x-api-key": "sk-one"}),
        ("/v1/models", "key=sk-one", {}),
        ("/nowhere", "", {"authorization": "Bearer sk-one"}),
    ],
)
def test_a_known_key_passes(auth: ApiKeyAuth, path: str, query: str, headers: Headers) -> None:
    assert auth.refusal(KEYS, path, query, headers.get) is None


@pytest.mark.parametrize(
    "path",
    ["/health", "/ready", "/metrics", "/llmsim/stats", "/llmsim/images/x.png", "/favicon.ico"],
)
def test_what_is_no_providers_needs_no_key(
    auth: ApiKeyAuth, counters: WorkerCounters, path: str
) -> None:
    assert auth.refusal(KEYS, path, "", {}.get) is None
    assert Snapshot([counters]).total("count") == 0


@pytest.mark.parametrize(
    ("path", "query", "headers", "status", "message"),
    [
        (CHAT, "", {}, 401, "didn't provide an API key"),
        (CHAT, "", {"authorization": "Basic sk-one"}, 401, "didn't provide an API key"),
        (CHAT, "", {"authorization": "Bearer sk-three"}, 401, "Incorrect API key"),
        (CHAT, "", {"x-api-key": "sk-one"}, 401, "didn't provide an API key"),
        (CLAUDE, "", {}, 401, "x-api-key header is required"),
        (CLAUDE, "", {"x-api-key": "sk-three"}, 401, "invalid x-api-key"),
        (GEMINI, "", {}, 403, "unregistered callers"),
        (GEMINI, "key=sk-three", {}, 400, "API key not valid"),
        ("/nowhere", "", {}, 401, "didn't provide an API key"),
    ],
)
def test_any_other_is_refused_as_the_provider_does_it(
    auth: ApiKeyAuth, path: str, query: str, headers: Headers, status: int, message: str
) -> None:
    refused = auth.refusal(KEYS, path, query, headers.get)
    assert refused is not None
    assert refused[0] == status
    assert message in orjson.loads(refused[2])["error"]["message"]


def test_a_refusal_is_counted_once(auth: ApiKeyAuth, counters: WorkerCounters) -> None:
    auth.refusal(KEYS, CHAT, "", {"authorization": "Bearer sk-one"}.get)
    auth.refusal(KEYS, CHAT, "", {}.get)
    snapshot = Snapshot([counters])
    (row,) = snapshot.rows
    assert (row.endpoint, row.model, row.status, row.columns["count"]) == ("other", "", 401, 1)
    assert counters.active == 0
    ((kind, real, injected),) = [one for one in counters.errors() if any(one[1:])]
    assert (kind.value, real, injected) == ("authentication", 1, 0)
