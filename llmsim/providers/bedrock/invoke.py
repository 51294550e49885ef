"""InvokeModel: Anthropic's Messages in AWS's event stream, and Titan's embeddings."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import orjson
from msgspec import Meta, Struct, structs

from llmsim.core import (
    Completion,
    Embed,
    Embeddings,
    Frames,
    Message,
    Numbering,
    Request,
    Stamp,
    StreamScript,
    Usage,
)
from llmsim.core.errors import Failure, invalid
from llmsim.providers.anthropic.hosted import HostedMessages
from llmsim.providers.bedrock import errors, requests
from llmsim.providers.bedrock.converse import named
from llmsim.providers.wire import sse
from llmsim.providers.wire.decoding import MalformedBody, decode
from llmsim.providers.wire.event_stream import event

VERSION = "bedrock-2023-05-31"
"""The version of Anthropic's API that bodies name."""

_STOP = b'{"type":"message_stop"}'


class BedrockInvoke:
    """``/model/{id}/invoke`` and ``invoke-with-response-stream`` of Anthropic's models."""

    name = "bedrock_invoke"

    def __init__(
        self, model: str | None = None, stream: bool | None = None, strict: bool = False
    ) -> None:
        self._codec = HostedMessages(self.name, VERSION, model, stream, strict)

    def decode(self, body: bytes) -> Request:
        return self._codec.decode(body)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        return self._codec.plain(request, completion, stamp)

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        made = self._codec.script(request, completion, stamp)
        frames = ChunkFrames(made.frames, _last(completion.usage))
        return structs.replace(made, frames=frames, keepalive=_chunks(made.keepalive))

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return errors.failure_event(failure)


class ChunkFrames:
    """Frames of server-sent events as chunks of the binary stream; ``last`` is the data of the last
    event."""

    __slots__ = ("_frames", "_last")

    def __init__(self, frames: Frames, last: bytes) -> None:
        self._frames = frames
        self._last = last

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int, /) -> bytes:
        frame = self._frames[index]
        return _chunk(self._last) if _STOP in frame else _chunks(frame)

    def join(self, start: int, stop: int) -> bytes:
        return b"".join([self[index] for index in range(start, min(stop, len(self)))])

    def reorder(self, order: Numbering) -> Frames:
        return ChunkFrames(self._frames.reorder(order), self._last)


@lru_cache(maxsize=sse.CACHED_TAILS)
def _chunks(events: bytes) -> bytes:
    """Each event's data as a chunk."""
    return b"".join(map(_chunk, sse.messages(events)))


def _chunk(data: bytes) -> bytes:
    return event("chunk", b'{"bytes":"%b"}' % b64encode(data))


def _last(used: Usage) -> bytes:
    """The last event tells what was used."""
    metrics = {"inputTokenCount": used.prompt - used.cached, "outputTokenCount": used.completion}
    return orjson.dumps({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics})


class TitanRequest(Struct, rename="camel"):
    input_text: str
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    normalize: bool | None = None
    embedding_types: list[Literal["float", "binary"]] | None = None
    model: str | None = None


_titan = msgspec.json.Decoder(TitanRequest)


class TitanEmbeddings:
    """``/model/{id}/invoke`` of Titan's embedding models."""

    name = "bedrock_titan_embeddings"

    def __init__(self, model: str | None = None) -> None:
        self._model = model

    def decode(self, body: bytes) -> Request:
        try:
            wire = decode(_titan, body)
        except MalformedBody as mistake:
            raise requests.refuse(mistake) from None
        if not wire.input_text:
            message = "Malformed input request: expected minLength: 1, actual: 0"
            raise invalid(f"{message}, please reformat your input and try again.", "inputText")
        model = named(self._model, wire.model)
        width = wire.dimensions or (1024 if "v2" in model else 1536)
        return Request(model, (Message("user", wire.input_text),), wire=wire, task=Embed(width))

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, Embeddings)
        vector = completion.made.vectors[0]
        answer: dict[str, Any] = {
            "embedding": vector,
            "inputTextTokenCount": completion.usage.prompt,
        }
        kinds = request.wire.embedding_types
        if kinds is not None:
            by_type: dict[str, Any] = {"float": vector, "binary": (vector > 0).astype("int8")}
            answer["embeddingsByType"] = {kind: by_type[kind] for kind in kinds}
        return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
