"""OpenAI's codecs as Azure has them: the path names the model, and answers say what the content
filter made of them."""

from __future__ import annotations

import orjson

from llmsim.core import (
    Codec,
    Completion,
    Finish,
    Request,
    Stamp,
    StreamCodec,
    TextSegment,
)
from llmsim.providers.azure import content_filter
from llmsim.providers.wire.json_members import with_members
from llmsim.providers.wire.wrapped_codec import WrappedCodec


def _member(deployment: str | None) -> bytes:
    """What a body gets in front; nothing where it names its model."""
    return b'"model":' + orjson.dumps(deployment) if deployment is not None else b""


class AzureCodec:
    """An OpenAI codec behind a ``deployment``, whose name is that of the model; None is for a body
    that names it."""

    def __init__(self, name: str, codec: Codec, deployment: str | None = None) -> None:
        self.name = name
        self._codec = codec
        self._model = _member(deployment)

    def decode(self, body: bytes) -> Request:
        return self._codec.decode(with_members(body, self._model) if self._model else body)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        return self._codec.plain(request, completion, stamp)


class AzureStreamCodec(WrappedCodec):
    """The same for answers that may be streamed."""

    def __init__(self, name: str, codec: StreamCodec, deployment: str | None = None) -> None:
        super().__init__(name, codec)
        self._model = _member(deployment)

    def decode(self, body: bytes) -> Request:
        return super().decode(with_members(body, self._model) if self._model else body)


class AzureFiltered(AzureStreamCodec):
    """Chat and legacy completions, whose choices each have a verdict of the content filter."""

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        answer = orjson.loads(super().plain(request, completion, stamp))
        for shown, choice in zip(answer["choices"], completion.choices, strict=True):
            if choice.finish is Finish.FILTER:
                results = content_filter.FILTERED_ANSWER
            elif isinstance(choice.segments[-1], TextSegment):
                results = content_filter.ANSWER
            else:
                results = {}
            shown["content_filter_results"] = results
        prompts = len(completion.choices) // request.n if request.task is not None else 1
        answer["prompt_filter_results"] = content_filter.prompt_results(prompts)
        return orjson.dumps(answer)
