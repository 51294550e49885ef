"""Embeddings on the wire: both forms of a vector, and what is refused."""

from base64 import b64decode
from typing import Any

import numpy as np
import orjson
import pytest
from openai.types import CreateEmbeddingResponse

from llmsim.core import Choice, Completion, Embed, Embeddings, Finish, Message, Stamp, Usage
from llmsim.core.errors import BadRequest
from llmsim.providers.openai.embeddings import OpenAIEmbeddings

EMBEDDINGS = OpenAIEmbeddings()
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
MODEL = "text-embedding-3-small"
VECTORS = (np.array([0.6, -0.8], np.float32), np.array([1 / 3, 0.1], np.float32))
COMPLETION = Completion((Choice((), 0, Finish.STOP),), Usage(7, 0), Embeddings(VECTORS))


def body(**fields: Any) -> bytes:
    return orjson.dumps({"model": MODEL, "input": ["a", "b"], **fields})


def plain(**fields: Any) -> bytes:
    return EMBEDDINGS.plain(EMBEDDINGS.decode(body(**fields)), COMPLETION, STAMP)


def test_floats_are_golden() -> None:
    assert plain(encoding_format="float") == (
        b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.6,-0.8]},'
        b'{"object":"embedding","index":1,"embedding":[0.33333334,0.1]}],'
        b'"model":"text-embedding-3-small","usage":{"prompt_tokens":7,"total_tokens":7}}'
    )


def test_base64_is_golden() -> None:
    assert b'"index":0,"embedding":"mpkZP83MTL8="}' in plain(encoding_format="base64")


def test_both_forms_are_the_same_vectors() -> None:
    packed = [one["embedding"] for one in orjson.loads(plain(encoding_format="base64"))["data"]]
    read = [np.frombuffer(b64decode(one), "<f4") for one in packed]
    floats = [one["embedding"] for one in orjson.loads(plain())["data"]]
    for one, other, vector in zip(read, floats, VECTORS, strict=True):
        assert np.array_equal(one, vector)
        assert np.array_equal(np.array(other, np.float32), vector)


def test_the_sdk_reads_floats() -> None:
    read = CreateEmbeddingResponse.model_validate_json(plain(), strict=True)
    assert [one.index for one in read.data] == [0, 1]
    assert (read.usage.prompt_tokens, read.usage.total_tokens) == (7, 7)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("one", (Message("user", "one"),)),
        ([5, 6], (Message("user", tokens=(5, 6)),)),
    ],
)
def test_what_is_asked(texts: Any, expected: tuple[Message, ...]) -> None:
    request = EMBEDDINGS.decode(body(input=texts, dimensions=8))
    assert (request.model, request.messages, request.stream) == (MODEL, expected, False)
    assert request.task == Embed(8, 300_000)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": []}, "input"),
        ({"input": ["x"] * 2049}, "input"),
        ({"input": None}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 256, "model": "text-embedding-ada-002"}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"model": ""}, "model"),
    ],
)
def test_what_is_refused_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        EMBEDDINGS.decode(body(**fields))
    assert caught.value.failure.param == param


def test_2048_inputs_are_not_too_many() -> None:
    assert len(EMBEDDINGS.decode(body(input=["x"] * 2048)).messages) == 2048
