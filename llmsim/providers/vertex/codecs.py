"""Gemini's codecs as Vertex AI has them, and ``predict`` of its embedding models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import orjson
from msgspec import Meta, Struct

from llmsim.core import Completion, Embed, Embeddings, Message, Request, Stamp
from llmsim.core.errors import Failure, invalid
from llmsim.providers.anthropic.messages.codec import AnthropicCount
from llmsim.providers.gemini import errors as gemini_errors
from llmsim.providers.gemini import json_names
from llmsim.providers.gemini.count_tokens import GeminiCount
from llmsim.providers.gemini.embeddings import GeminiEmbed
from llmsim.providers.gemini.generate import params
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.vertex import errors
from llmsim.providers.vertex.calls import GOOGLE, VertexCall
from llmsim.providers.wire.decoding import MalformedBody

VERTEX_FIELDS = frozenset(
    {
        "additional_properties",
        "audio_timestamp",
        "defs",
        "display_name",
        "enterprise_web_search",
        "exclude_domains",
        "labels",
        "method",
        "model_armor_config",
        "model_selection_config",
        "ref",
        "retrieval",
        "routing_config",
        "stream_function_call_arguments",
    }
)
"""What google-genai's converters refuse to send to the Gemini API, and do send to Vertex AI."""


class VertexGemini(Gemini):
    """``:generateContent`` and ``:streamGenerateContent``."""

    name = "vertex_gemini"
    also = VERTEX_FIELDS

    def identity(self, model: str, stamp: Stamp) -> str:
        created = datetime.fromtimestamp(stamp.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return f'{super().identity(model, stamp)},"createTime":"{created}"'

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        call = VertexCall(GOOGLE, self._model, self._verb)
        return self.framed(errors.failure(failure, stamp, call)[1], sent)


class VertexCount(GeminiCount):
    """``:countTokens``."""

    name = "vertex_count"


class VertexEmbed(GeminiEmbed):
    """``:embedContent`` and ``:batchEmbedContents``."""

    name = "vertex_embed_content"


class VertexClaudeCount(AnthropicCount):
    """``count-tokens:rawPredict``, whose body names the model."""

    name = "vertex_claude_count"


class Instance(Struct):
    """A text to embed. What it is for (``task_type``, ``title``) does not change its vector."""

    content: str


class EmbeddingParameters(Struct, rename="camel"):
    output_dimensionality: Annotated[int, Meta(ge=1)] | None = None


class PredictRequest(Struct):
    instances: Annotated[list[Instance], Meta(min_length=1, max_length=250)]
    parameters: EmbeddingParameters | None = None
    model: str | None = None


_reader = json_names.Reader(PredictRequest)


class VertexPredict:
    """``:predict`` of an embedding model."""

    name = "vertex_embeddings"

    def __init__(self, model: str | None = None) -> None:
        self._model = model

    def decode(self, body: bytes) -> Request:
        try:
            wire = _reader.read(body)
        except MalformedBody as mistake:
            raise gemini_errors.refuse(mistake, "PredictRequest") from None
        for place, instance in enumerate(wire.instances):
            if not instance.content:
                where = f"instances[{place}].content"
                raise invalid(f"* PredictRequest.{where}: content is empty", where)
        width = None if wire.parameters is None else wire.parameters.output_dimensionality
        return Request(
            params.body_model(wire.model) if self._model is None else self._model,
            tuple([Message("user", one.content) for one in wire.instances]),
            wire=wire,
            task=Embed(width),
        )

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, Embeddings)
        texts = [message.text for message in request.messages]
        counts = shares(completion.usage.prompt, [len(text) for text in texts])
        predictions = [
            {
                "embeddings": {
                    "values": vector,
                    "statistics": {"truncated": False, "token_count": tokens},
                }
            }
            for vector, tokens in zip(completion.made.vectors, counts, strict=True)
        ]
        characters = sum(len("".join(text.split())) for text in texts)
        answer = {
            "predictions": predictions,
            "metadata": {"billableCharacterCount": characters},
        }
        return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def shares(tokens: int, lengths: list[int]) -> list[int]:
    """The tokens of all texts by their lengths: only their sum is known."""
    whole, made, so_far = sum(lengths), [], 0
    for length in lengths:
        reached = (so_far + length) * tokens // whole - so_far * tokens // whole
        made.append(reached)
        so_far += length
    return made
