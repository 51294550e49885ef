"""Gemini's countTokens."""

from typing import Any

import orjson
import pytest
from google.genai.types import CountTokensResponse

from llmsim.core import Completion, Count, Request, Stamp, TokenCount, Usage
from llmsim.core.errors import BadRequest
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.providers.gemini.count_tokens import GeminiCount
from llmsim.providers.gemini.generate.codec import Gemini

COUNT = GeminiCount("gemini-2.5-pro")
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
ENCODING = tokenizer("o200k_base")
REQUEST: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png"}}]}
    ],
    "systemInstruction": {"parts": [{"text": "be brief"}]},
    "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
}


def decoded(body: dict[str, Any]) -> Request:
    return COUNT.decode(orjson.dumps(body))


@pytest.mark.parametrize(
    "body", [REQUEST, {"generateContentRequest": REQUEST}, {"generate_content_request": REQUEST}]
)
def test_a_count_is_that_of_the_request_itself(body: dict[str, Any]) -> None:
    request = decoded(body)
    assert request.task == Count()
    whole = Gemini("gemini-2.5-pro").decode(orjson.dumps(REQUEST))
    assert prompt.tokens(request, ENCODING) == prompt.tokens(whole, ENCODING)


def test_the_answer() -> None:
    body = COUNT.plain(decoded(REQUEST), Completion((), Usage(0, 0), TokenCount(300)), STAMP)
    assert orjson.loads(body) == {
        "totalTokens": 300,
        "promptTokensDetails": [
            {"modality": "IMAGE", "tokenCount": 258},
            {"modality": "TEXT", "tokenCount": 42},
        ],
    }
    counted = {"totalTokens": orjson.loads(body)["totalTokens"]}
    assert CountTokensResponse.model_validate(counted).total_tokens == 300


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "CountTokensRequest.contents: contents is not specified"),
        ({"contents": 3}, "Invalid value at 'contents'"),
        ({"generateContentRequest": {}}, "generate_content_request.contents: contents is not"),
        ({"contents": "a", "generateContentRequest": {"contents": "a"}}, "mutually exclusive"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        decoded(body)


def test_without_a_path_the_request_names_the_model() -> None:
    body = {"generateContentRequest": {"model": "models/x", "contents": "a"}}
    assert GeminiCount().decode(orjson.dumps(body)).model == "x"
