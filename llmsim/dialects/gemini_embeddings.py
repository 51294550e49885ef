"""Gemini's ``embedContent`` and ``batchEmbedContents`` (``EmbedContentResponse`` of google-genai
3.4's types)."""

from __future__ import annotations

from typing import Annotated

import orjson
from msgspec import Meta, Struct

from llmsim.dialects import gemini_contents, gemini_envelope, gemini_request, gemini_spelling
from llmsim.dialects.decoding import Malformed
from llmsim.dialects.gemini_parts import Content
from llmsim.errors import Failure, invalid
from llmsim.exchange import (
    Ask,
    Embed,
    Embeddings,
    Headers,
    Message,
    Plan,
    Reply,
    Script,
    Stamp,
)


class EmbedRequest(Struct, rename="camel"):
    content: str | Content
    model: str | None = None
    output_dimensionality: Annotated[int, Meta(ge=1)] | None = None
    task_type: str | None = None
    title: str | None = None


class BatchRequest(Struct):
    requests: Annotated[list[EmbedRequest], Meta(min_length=1, max_length=100)]


_one = gemini_spelling.Reader(EmbedRequest)
_many = gemini_spelling.Reader(BatchRequest)


class GeminiEmbed:
    """``POST …/models/{model}:embedContent``, and ``:batchEmbedContents`` if it is a batch."""

    name = "gemini_embeddings"

    def __init__(
        self, model: str | None = None, batch: bool = False, version: str = "v1beta"
    ) -> None:
        self._model = model
        self._batch = batch
        self._verb = "batchEmbedContents" if batch else "embedContent"
        self._request = "BatchEmbedContentsRequest" if batch else "EmbedContentRequest"
        self._version = version

    def decode(self, body: bytes) -> Ask:
        try:
            requests = _many.read(body).requests if self._batch else [_one.read(body)]
        except Malformed as mistake:
            raise gemini_envelope.refuse(mistake, self._request) from None
        first = requests[0]
        for place, request in enumerate(requests):
            if request.output_dimensionality != first.output_dimensionality:
                where = f"requests[{place}].output_dimensionality"
                message = f"* {self._request}.{where}: must be the same in all requests"
                raise invalid(message, where)
        texts = [gemini_contents.texts(request.content) for request in requests]
        for place, text in enumerate(texts):
            if not text:
                where = f"requests[{place}].content" if self._batch else "content"
                raise invalid(f"* {self._request}.{where}: content is empty", where)
        return Ask(
            gemini_request.named(first.model) if self._model is None else self._model,
            tuple([Message("user", text) for text in texts]),
            task=Embed(first.output_dimensionality),
        )

    def failure(self, failure: Failure, stamp: Stamp) -> tuple[int, bytes]:
        return gemini_envelope.failure(failure, self._version, self._verb)

    def broken(self, ask: Ask, failure: Failure, stamp: Stamp, sent: int) -> bytes:
        return b""

    def retry(self, after: float) -> Headers:
        return []  # the body's details say it

    def headers(self, plan: Plan, stamp: Stamp) -> Headers:
        return [*gemini_envelope.JSON, gemini_envelope.identified(stamp)]

    def plain(self, ask: Ask, reply: Reply, stamp: Stamp) -> bytes:
        assert isinstance(reply.made, Embeddings)
        made = [{"values": vector} for vector in reply.made.vectors]
        prompt = reply.usage.prompt
        answer = {"embeddings": made} if self._batch else {"embedding": made[0]}
        usage = {"usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt}}
        return orjson.dumps(answer | usage, option=orjson.OPT_SERIALIZE_NUMPY)

    def script(self, ask: Ask, reply: Reply, stamp: Stamp) -> Script:
        raise AssertionError("embeddings are never streamed")
