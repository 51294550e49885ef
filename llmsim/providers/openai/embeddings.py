"""OpenAI's embeddings (``types.embedding_create_params``, ``types.create_embedding_response``)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
import numpy as np
import orjson
from msgspec import Meta, Struct
from numpy.typing import NDArray

from llmsim.core import Completion, Embed, Embeddings, Request, Stamp
from llmsim.core.catalog import models
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers.openai import errors, inputs, strict
from llmsim.providers.rules import Breach, Rules
from llmsim.providers.wire.decoding import MalformedBody, decode

MOST_INPUTS = 2048
MOST_TOKENS = 300_000

# Models that make vectors of one width only.
ONE_WIDTH = "text-embedding-ada-002"


class EmbeddingRequest(Struct):
    input: inputs.Input
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


_decoder = msgspec.json.Decoder(EmbeddingRequest)

RULES: Rules[EmbeddingRequest] = Rules()


@RULES.checked(
    "embedding-model", "You are not allowed to generate embeddings from this model", strict.SEEN
)
def _embedding_model(wire: EmbeddingRequest) -> None:
    if strict.known_kind(wire.model) not in (None, "embedding"):
        message = "You are not allowed to generate embeddings from this model"
        raise BadRequest(Failure(FailureKind.PERMISSION, message))


@RULES.row(
    "dimensions",
    "Invalid value for 'dimensions' = {wanted}. Must be less than or equal to {most}.",
    strict.SEEN,
)
def _dimensions(wire: EmbeddingRequest) -> Iterator[Breach]:
    most = models.resolve(wire.model).dimensions
    if wire.dimensions is not None and most and wire.dimensions > most:
        yield Breach("dimensions", {"wanted": wire.dimensions, "most": most})


class OpenAIEmbeddings:
    """``POST /v1/embeddings``. ``strict`` refuses all that the live service refuses."""

    name = "openai_embeddings"

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict

    def decode(self, body: bytes) -> Request:
        try:
            wire = decode(_decoder, body)
        except MalformedBody as mistake:
            raise errors.refuse(mistake) from None
        if self._strict:
            strict.check_fields(body, self.name, wire.model)
            RULES.check(wire, wire.model)
        if wire.dimensions is not None and wire.model == ONE_WIDTH:
            raise invalid("This model does not support specifying dimensions.", "dimensions")
        messages = inputs.messages(wire.input, "input")
        if len(messages) > MOST_INPUTS:
            message = (
                f"Invalid 'input': array too long. Expected an array with maximum length "
                f"{MOST_INPUTS}, but got an array with length {len(messages)} instead."
            )
            raise invalid(message, "input", "array_above_max_length")
        for entry in messages:
            if not (entry.text or entry.tokens):
                raise invalid("Invalid 'input': input cannot be an empty string.", "input")
        task = Embed(wire.dimensions, MOST_TOKENS)
        return Request(wire.model, messages, wire=wire, task=task)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, Embeddings)
        wire: EmbeddingRequest = request.wire
        serialize = _base64 if wire.encoding_format == "base64" else _floats
        data = b",".join(
            b'{"object":"embedding","index":%d,"embedding":%b}' % (place, serialize(vector))
            for place, vector in enumerate(completion.made.vectors)
        )
        count = completion.usage.prompt
        return (
            b'{"object":"list","data":[%b],"model":%b,'
            b'"usage":{"prompt_tokens":%d,"total_tokens":%d}}'
            % (data, orjson.dumps(request.model), count, count)
        )


def _floats(vector: NDArray[np.float32]) -> bytes:
    return orjson.dumps(vector, option=orjson.OPT_SERIALIZE_NUMPY)


def _base64(vector: NDArray[np.float32]) -> bytes:
    """Little-endian 32-bit floats: what the SDKs ask for by default."""
    return b'"%b"' % b64encode(vector.astype("<f4").tobytes())
