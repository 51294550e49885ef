"""Gemini's embedContent and batchEmbedContents."""

from typing import Any

import numpy as np
import orjson
import pytest
from google.genai.types import EmbedContentResponse

from llmsim.core import Completion, Embed, Embeddings, Request, Stamp, Usage
from llmsim.core.errors import BadRequest
from llmsim.engine.tasks.embeddings import vector
from llmsim.providers.gemini.embeddings import GeminiEmbed

ONE = GeminiEmbed("gemini-embedding-001")
BATCH = GeminiEmbed("gemini-embedding-001", batch=True)
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)


def decoded(codec: GeminiEmbed, body: Any) -> Request:
    return codec.decode(orjson.dumps(body))


def request(text: str = "a", **fields: Any) -> dict[str, Any]:
    return {"model": "models/x", "content": {"parts": [{"text": text}]}, **fields}


def answer(codec: GeminiEmbed, call: Request) -> dict[str, Any]:
    made = Embeddings(tuple(vector(one.text, 16) for one in call.messages))
    body = codec.plain(call, Completion((), Usage(7, 0), made), STAMP)
    answered: dict[str, Any] = orjson.loads(body)
    return answered


@pytest.mark.parametrize("key", ["outputDimensionality", "output_dimensionality"])
def test_one_text(key: str) -> None:
    call = decoded(ONE, request("some text", **{key: 16}, taskType="RETRIEVAL_QUERY", title="t"))
    assert (call.model, call.task) == ("gemini-embedding-001", Embed(16))
    answered = answer(ONE, call)
    assert np.array(answered["embedding"]["values"], np.float32) == pytest.approx(
        vector("some text", 16)
    )
    assert answered["usageMetadata"] == {
        "promptTokenCount": 7,
        "totalTokenCount": 7,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}],
    }


def test_a_batch() -> None:
    call = decoded(BATCH, {"requests": [request("a"), request("b")]})
    assert [one.text for one in call.messages] == ["a", "b"]
    assert call.task == Embed(None)
    answered = EmbedContentResponse.model_validate(answer(BATCH, call))
    assert answered.embeddings is not None
    assert [len(one.values or ()) for one in answered.embeddings] == [16, 16]


@pytest.mark.parametrize("content", ["a", {"parts": "a"}, {"parts": [{"text": "a"}]}])
def test_ways_to_give_a_text(content: Any) -> None:
    assert decoded(ONE, {"content": content}).messages[0].text == "a"


@pytest.mark.parametrize(
    ("codec", "body", "said"),
    [
        (ONE, {}, "EmbedContentRequest.content: content is not specified"),
        (ONE, request(""), "EmbedContentRequest.content: content is empty"),
        (ONE, request(outputDimensionality=0), "output_dimensionality must be at least 1"),
        (BATCH, {}, "BatchEmbedContentsRequest.requests: requests is not specified"),
        (BATCH, {"requests": []}, "requests must not be empty"),
        (BATCH, {"requests": [request()] * 101}, "requests must not be longer than 100"),
        (BATCH, {"requests": [request(), request("")]}, r"requests\[1\].content: content is empty"),
        (
            BATCH,
            {"requests": [request(outputDimensionality=3), request(outputDimensionality=4)]},
            r"requests\[1\].output_dimensionality: must be the same",
        ),
    ],
)
def test_what_is_wrong_is_named(codec: GeminiEmbed, body: Any, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        decoded(codec, body)


def test_without_a_path_the_first_request_names_the_model() -> None:
    assert decoded(GeminiEmbed(), request()).model == "x"
