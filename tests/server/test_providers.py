"""Whose API a request is for, and whose error it gets."""

import orjson
import pytest

from llmsim.core.errors import Failure, FailureKind
from llmsim.server.providers import SPELLINGS, Provider, provider, refusal, stamp

FAILURE = Failure(FailureKind.UNKNOWN_PATH, "no such path")


@pytest.mark.parametrize(
    ("path", "query", "headers", "whose"),
    [
        ("/v1/chat/completions", "", {}, "openai"),
        ("/v1/chat/completions", "", {"x-api-key": "k"}, "openai"),
        ("/nowhere", "key=1", {}, "openai"),
        ("/v1/messages", "", {}, "anthropic"),
        ("/v1/messages/batches/x", "", {}, "anthropic"),
        ("/anthropic/v1/nothing", "", {}, "anthropic"),
        ("/v1/complete", "", {}, "anthropic"),
        ("/v1/completions", "", {"anthropic-version": "2023-06-01"}, "openai"),
        ("//v1/messages", "", {}, "anthropic"),
        ("//v1beta/models/x", "", {}, "google"),
        ("//v1/chat/completions", "", {}, "openai"),
        ("/v1/files", "", {}, "openai"),
        ("/v1/files", "", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v1beta/models/x", "", {}, "google"),
        ("/v1/models", "", {}, "openai"),
        ("/v1/models", "", {"authorization": "Bearer sk"}, "openai"),
        ("/v1/models", "", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v1/models", "", {"authorization": "Bearer k", "anthropic-version": "x"}, "anthropic"),
        ("/v1/models/claude", "", {"x-api-key": "k"}, "anthropic"),
        ("/v1/models", "", {"x-goog-api-key": "k"}, "google"),
        ("/v1/models", "pageSize=2&key=k", {}, "google"),
        ("/v1/models", "monkey=k", {}, "openai"),
        ("/openai/v1/models", "", {"x-api-key": "k"}, "openai"),
        ("/anthropic/v1/models", "key=k", {}, "anthropic"),
    ],
)
def test_whose_request_it_is(
    path: str, query: str, headers: dict[str, str], whose: Provider
) -> None:
    assert provider(path, query, headers.get) == whose


@pytest.mark.parametrize("whose", SPELLINGS)
def test_everyone_has_an_error_of_their_own(whose: Provider) -> None:
    status, head, body = SPELLINGS[whose](FAILURE, stamp())
    others = [SPELLINGS[other](FAILURE, stamp())[2] for other in SPELLINGS if other != whose]
    shapes = [tuple(orjson.loads(one)) + tuple(orjson.loads(one)["error"]) for one in others]
    told = orjson.loads(body)
    assert tuple(told) + tuple(told["error"]) not in shapes
    assert status == 404
    assert dict(head)["content-type"].startswith("application/json")


def test_a_refusal_is_in_the_callers_words() -> None:
    status, head, body = refusal(FAILURE, "/v1/models/x", "", {"x-api-key": "k"}.get)
    told = orjson.loads(body)
    assert (status, told["error"]["type"]) == (404, "not_found_error")
    assert told["request_id"] == dict(head)["request-id"]


def test_no_two_stamps_are_the_same() -> None:
    assert len({stamp().mark for _ in range(100)}) == 100
