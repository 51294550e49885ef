"""Gemini's ``embedContent`` and ``batchEmbedContents`` (``EmbedContentResponse`` of google-genai
3.4's types)."""

from __future__ import annotations

from typing import Annotated

import orjson
from msgspec import Meta, Struct

from llmsim.core import (
    Completion,
    Embed,
    Embeddings,
    Message,
    Request,
    Stamp,
)
from llmsim.core.errors import invalid
from llmsim.providers.gemini import errors, json_names
from llmsim.providers.gemini.generate import contents, params
from llmsim.providers.gemini.generate.parts import Content
from llmsim.providers.wire.decoding import MalformedBody


class EmbedRequest(Struct, rename="camel"):
    content: str | Content
    model: str | None = None
    output_dimensionality: Annotated[int, Meta(ge=1)] | None = None
    task_type: str | None = None
    title: str | None = None


class BatchEmbedRequest(Struct):
    requests: Annotated[list[EmbedRequest], Meta(min_length=1, max_length=100)]


_one = json_names.Reader(EmbedRequest)
_many = json_names.Reader(BatchEmbedRequest)


class GeminiEmbed:
    """``POST …/models/{model}:embedContent``, or ``:batchEmbedContents`` if ``batch``."""

    name = "gemini_embeddings"

    def __init__(self, model: str | None = None, batch: bool = False) -> None:
        self._model = model
        self._batch = batch
        self._request = "BatchEmbedContentsRequest" if batch else "EmbedContentRequest"

    def decode(self, body: bytes) -> Request:
        try:
            requests = _many.read(body).requests if self._batch else [_one.read(body)]
        except MalformedBody as mistake:
            raise errors.refuse(mistake, self._request) from None
        first = requests[0]
        for place, request in enumerate(requests):
            if request.output_dimensionality != first.output_dimensionality:
                where = f"requests[{place}].output_dimensionality"
                message = f"* {self._request}.{where}: must be the same in all requests"
                raise invalid(message, where)
        texts = [contents.texts(request.content) for request in requests]
        for place, text in enumerate(texts):
            if not text:
                where = f"requests[{place}].content" if self._batch else "content"
                raise invalid(f"* {self._request}.{where}: content is empty", where)
        return Request(
            params.body_model(first.model) if self._model is None else self._model,
            tuple([Message("user", text) for text in texts]),
            task=Embed(first.output_dimensionality),
        )

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, Embeddings)
        made = [{"values": vector} for vector in completion.made.vectors]
        prompt = completion.usage.prompt
        answer = {"embeddings": made} if self._batch else {"embedding": made[0]}
        usage = {"usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt}}
        return orjson.dumps(answer | usage, option=orjson.OPT_SERIALIZE_NUMPY)
