"""Gemini's ``embedContent`` and ``batchEmbedContents`` (``EmbedContentResponse`` of google-genai
3.4's types)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import orjson
from msgspec import Meta, Struct
from msgspec.structs import replace

from llmsim.core import (
    Completion,
    Embed,
    Embeddings,
    Message,
    Request,
    Stamp,
)
from llmsim.core.catalog import models
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers.gemini import errors, json_names
from llmsim.providers.gemini import strict as gemini_strict
from llmsim.providers.gemini.generate import contents, params
from llmsim.providers.gemini.generate.parts import Content
from llmsim.providers.gemini.strict import API, SEEN
from llmsim.providers.rules import Breach, Rules
from llmsim.providers.wire.decoding import MalformedBody, json_values


class EmbedContentConfig(Struct, rename="camel"):
    """Where clients of Vertex AI say it."""

    output_dimensionality: Annotated[int, Meta(ge=1)] | None = None


class EmbedRequest(Struct, rename="camel"):
    content: str | Content
    model: str | None = None
    output_dimensionality: Annotated[int, Meta(ge=1)] | None = None
    task_type: str | None = None
    title: str | None = None
    embed_content_config: EmbedContentConfig | None = None

    @property
    def dimensions(self) -> int | None:
        """How wide the vector is to be; None leaves it to the model."""
        if self.embed_content_config is not None:
            return self.embed_content_config.output_dimensionality
        return self.output_dimensionality


class BatchEmbedRequest(Struct):
    requests: Annotated[list[EmbedRequest], Meta(min_length=1, max_length=100)]


TASKS = (
    "CLASSIFICATION", "CLUSTERING", "CODE_RETRIEVAL_QUERY", "FACT_VERIFICATION",
    "QUESTION_ANSWERING", "RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY", "SEMANTIC_SIMILARITY",
    "TASK_TYPE_UNSPECIFIED",
)  # fmt: skip

RULES: Rules[list[EmbedRequest]] = Rules()


@RULES.checked(
    "embedding-model",
    "{model} is not found for API version {version}, or is not supported for {method}.",
    SEEN,
)
def _embedding_model(requests: list[EmbedRequest]) -> None:
    model = errors.bare(requests[0].model or "")
    if models.find(model) is not None and models.resolve(model).kind != "embedding":
        raise BadRequest(Failure(FailureKind.MODEL_NOT_FOUND, f"models/{model}", model=model))


@RULES.row(
    "task-type",
    "Invalid value at '{where}' (type.googleapis.com/google.ai.generativelanguage.v1beta.TaskType)"
    ', "{task}"',
    API,
)
def _task_type(requests: list[EmbedRequest]) -> Iterator[Breach]:
    for where, request in _places(requests, "task_type"):
        if request.task_type is not None and request.task_type not in TASKS:
            yield Breach(where, {"task": request.task_type})


@RULES.row("title", "The `title` is only supported for the task type RETRIEVAL_DOCUMENT.", API)
def _title(requests: list[EmbedRequest]) -> Iterator[Breach]:
    for where, request in _places(requests, "title"):
        if request.title and request.task_type not in (None, "RETRIEVAL_DOCUMENT"):
            yield Breach(where)


@RULES.row(
    "output-dimensionality",
    "* EmbedContentRequest.{where}: out of range; supported values are 1 to {most}.",
    SEEN,
)
def _output_dimensionality(requests: list[EmbedRequest]) -> Iterator[Breach]:
    most = models.resolve(errors.bare(requests[0].model or "")).dimensions
    for where, request in _places(requests, "output_dimensionality"):
        if most and (request.output_dimensionality or 0) > most:
            yield Breach(where, {"most": most})


def _places(requests: list[EmbedRequest], field: str) -> Iterator[tuple[str, EmbedRequest]]:
    for place, request in enumerate(requests):
        yield f"requests[{place}].{field}" if len(requests) > 1 else field, request


_one = json_names.Reader(EmbedRequest)
_many = json_names.Reader(BatchEmbedRequest)


class GeminiEmbed:
    """``POST …/models/{model}:embedContent``, or ``:batchEmbedContents`` if ``batch``.
    ``strict`` refuses all that the live service refuses."""

    name = "gemini_embeddings"

    def __init__(self, model: str | None = None, batch: bool = False, strict: bool = False) -> None:
        self._strict = strict
        self._model = model
        self._batch = batch
        self._request = "BatchEmbedContentsRequest" if batch else "EmbedContentRequest"

    def decode(self, body: bytes) -> Request:
        try:
            requests = _many.read(body).requests if self._batch else [_one.read(body)]
        except MalformedBody as mistake:
            raise errors.refuse(mistake, self._request) from None
        if self._strict:
            self._check(body, requests)
        first = requests[0]
        for place, request in enumerate(requests):
            if request.dimensions != first.dimensions:
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
            task=Embed(first.dimensions),
        )

    def _check(self, body: bytes, requests: list[EmbedRequest]) -> None:
        """Raises BadRequest for the first rule that requests break."""
        values = json_values(body)
        gemini_strict.check_fields(values, "gemini_batch_embed" if self._batch else "gemini_embed")
        model = params.body_model(requests[0].model if self._model is None else self._model)
        RULES.check([replace(one, model=model) for one in requests], model)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, Embeddings)
        made = [{"values": vector} for vector in completion.made.vectors]
        prompt = completion.usage.prompt
        answer = {"embeddings": made} if self._batch else {"embedding": made[0]}
        usage = {
            "promptTokenCount": prompt,
            "totalTokenCount": prompt,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
        }
        return orjson.dumps(answer | {"usageMetadata": usage}, option=orjson.OPT_SERIALIZE_NUMPY)
