"""Gemini's paths: which call each stands for."""

from itertools import product

import numpy as np
import orjson
import pytest
from msgspec import structs

from llmsim.core import Plan, Stamp
from llmsim.core.errors import Failure, FailureKind
from llmsim.engine.plan import WholeFrame
from llmsim.providers.gemini.calls import GeminiCall, gemini_call
from llmsim.providers.gemini.errors import VERBS
from llmsim.providers.gemini.provider import GEMINI
from llmsim.providers.provider import Endpoint

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
PREFIXES = ["/v1", "/v1beta", "/gemini/v1", "/gemini/v1beta"]


@pytest.mark.parametrize(("prefix", "verb"), list(product(PREFIXES, VERBS)))
def test_every_verb_under_every_prefix(prefix: str, verb: str) -> None:
    version = prefix.rpartition("/")[2]
    assert gemini_call(f"{prefix}/models/gemini-2.5-pro:{verb}") == (
        version,
        "gemini-2.5-pro",
        verb,
    )
    tuned = gemini_call(f"{prefix}/tunedModels/mine-1:{verb}")
    assert tuned == (version, "tunedModels/mine-1", verb)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("meta-llama/x", "meta-llama/x"),
        ("meta-llama%2Fx", "meta-llama/x"),
        ("a:b", "a:b"),
        ("a%3Ab", "a:b"),
        ("%C3%BCn%C3%AFcode", "ünïcode"),
        ("models/x", "models/x"),
    ],
)
def test_names_of_models(name: str, model: str) -> None:
    found = gemini_call(f"/v1beta/models/{name}:generateContent")
    assert found is not None
    assert found.model == model


def test_the_colon_may_be_encoded() -> None:
    assert gemini_call("/v1/models/x%3AcountTokens") == GeminiCall("v1", "x", "countTokens")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models",
        "/v1/models/x",
        "/v1/models/:generateContent",
        "/v1/models/x:",
        "/v1/models/x:tune",
        "/v1/models/x:generatecontent",
        "/v1/models/x:generateContent/",
        "/v2/models/x:generateContent",
        "/v1/chat/completions",
        "/openai/v1/models/x:generateContent",
        "/gemini/models/x:generateContent",
        "v1/models/x:generateContent",
    ],
)
def test_other_paths_are_no_calls(path: str) -> None:
    assert gemini_call(path) is None


def endpoint(path: str, query: str = "") -> Endpoint:
    pattern = GEMINI.pattern
    assert pattern is not None
    assert pattern.matches(path)
    return pattern.endpoint(path, query)


@pytest.mark.parametrize("verb", VERBS)
def test_statistics_name_the_verb_and_not_the_model(verb: str) -> None:
    assert endpoint(f"/gemini/v1/models/x:{verb}").name == f"/v1beta/models:{verb}"


def test_one_endpoint_a_call_and_form_of_stream() -> None:
    path = "/v1/models/x:streamGenerateContent"
    assert endpoint(path, "alt=sse") is endpoint(path, "alt=sse&key=k")
    assert endpoint(path, "alt=sse").codec is not endpoint(path).codec


@pytest.mark.parametrize(
    ("query", "kind"), [("alt=sse", "text/event-stream"), ("", "application/json; charset=UTF-8")]
)
def test_a_stream_is_events_or_an_array(query: str, kind: str) -> None:
    streaming = endpoint("/v1/models/x:streamGenerateContent", query)
    plan = Plan(200, WholeFrame(b""), np.zeros(1), True, 0.0, 0.0, 0)
    assert dict(streaming.headers(plan, STAMP))["content-type"] == kind
    refused = structs.replace(plan, stream=False)
    head = dict(streaming.headers(refused, STAMP))
    assert head["content-type"] == "application/json; charset=UTF-8"
    _, body = streaming.errors.failure(Failure(FailureKind.INVALID, "no"), STAMP)
    assert isinstance(orjson.loads(body), dict if query else list)
