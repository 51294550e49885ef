"""Gemini's ``generateContent`` and ``streamGenerateContent``: the answer, plain and streamed.

Shapes as google-genai 3.4 types them in ``types.GenerateContentResponse``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import orjson

from llmsim.core import END, Completion, Request, Stamp, StreamScript, Usage
from llmsim.core.errors import Failure
from llmsim.providers.gemini import errors as gemini_errors
from llmsim.providers.gemini import strict as gemini_strict
from llmsim.providers.gemini.generate import chunks as generate_chunks
from llmsim.providers.gemini.generate import hosted as generate_hosted
from llmsim.providers.gemini.generate import params
from llmsim.providers.gemini.generate.answer_media import PICTURE_TOKENS, AnswerMedia
from llmsim.providers.gemini.generate.contents import Media
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun, BeatRuns, later


class Gemini:
    """``POST …/models/{model}:generateContent`` and ``:streamGenerateContent``.

    Which model it is, whether the answer is streamed and as what is not in the body: without
    ``alt=sse`` a stream is one JSON array. ``model`` None is for a body without a path. ``strict``
    refuses all that the live service refuses.
    """

    name = "gemini"
    also: frozenset[str] = frozenset()
    """Fields at any depth that requests may have besides the Gemini API's."""

    def __init__(
        self,
        model: str | None = None,
        stream: bool = False,
        events: bool = True,
        version: str = "v1beta",
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self._model = model
        self._stream = stream
        self._framing = sse.CRLF_EVENTS if events else sse.JSON_ARRAY
        self._verb = "streamGenerateContent" if stream else "generateContent"
        self._version = version

    def decode(self, body: bytes) -> Request:
        request = params.read(body, self._model, self._stream)
        if self._strict:
            gemini_strict.check(body, request.model, self._model is None, self.also)
        return request

    def identity(self, model: str, stamp: Stamp) -> str:
        """The members that say who answers, and in which answer."""
        return f'"modelVersion":{_quoted(model)},"responseId":"{stamp.mark}"'

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return self.framed(gemini_errors.failure(failure, self._version, self._verb)[1], sent)

    def framed(self, body: bytes, sent: int) -> bytes:
        """What ends a stream after ``sent`` frames."""
        framing = self._framing
        return (b"" if sent else framing.opening) + framing.before + body + framing.last

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        style = generate_chunks.candidate_style(completion, request, self._framing, stamp)
        block = completion.choices[0].block
        if block is not None:
            return _blocked(block, completion, request, self.identity(request.model, stamp))
        candidates = [
            generate_chunks.whole_candidate(index, choice, style)
            for index, choice in enumerate(completion.choices)
        ]
        return _response(candidates, completion, request, self.identity(request.model, stamp))

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        framing = self._framing
        style = generate_chunks.candidate_style(completion, request, framing, stamp)
        alone = len(completion.choices) == 1
        tails: list[Sequence[bytes]] = []
        beats: list[BeatRun] = []
        parts: list[int] = []
        offset = 0
        for index, choice in enumerate(completion.choices):
            own_tails, ends = generate_chunks.candidate_tails(index, choice, style, alone)
            tails += own_tails
            beats += later(ends, offset)
            parts.append(sum(map(len, own_tails)))
            offset += choice.beats
        beats.append(((END,), 0))
        parts.append(1)
        candidates = [
            generate_chunks.last_candidate(index, choice, style, alone)
            for index, choice in enumerate(completion.choices)
        ]
        block = completion.choices[0].block
        identity = self.identity(request.model, stamp)
        if block is None:
            closing = _response(candidates, completion, request, identity)
        else:
            closing = _blocked(block, completion, request, identity)
        frames = sse.Spliced(
            _prefix(framing, completion.usage.prompt, identity),
            sse.Chained(tails),
            framing.before + closing + framing.last,
            framing.opening,
        )
        return StreamScript(frames, BeatRuns(beats), parts)


def _prefix(framing: sse.Framing, prompt: int, identity: str) -> bytes:
    """What all chunks but the last begin with.

    Only the last one has all of the usage, as with Gemini 2.0: the others are then alike.
    """
    prefix = (
        f'{{"usageMetadata":{{"promptTokenCount":{prompt},"totalTokenCount":{prompt}}},'
        f'{identity},"candidates":['
    )
    return framing.before + prefix.encode()


def _response(
    candidates: list[bytes], completion: Completion, request: Request, identity: str
) -> bytes:
    used = _usage(completion.usage, request, completion if request.tools else None)
    about = f'],"usageMetadata":{used},{identity}}}'
    return b'{"candidates":[' + b",".join(candidates) + about.encode()


def _blocked(reason: str, completion: Completion, request: Request, identity: str) -> bytes:
    """What a prompt gets that is not answered."""
    feedback = f'{{"promptFeedback":{{"blockReason":"{reason}"}},"usageMetadata":'
    return f"{feedback}{_usage(completion.usage, request)},{identity}}}".encode()


@lru_cache(maxsize=4096)
def _quoted(model: str) -> str:
    return orjson.dumps(model).decode()


def _usage(usage: Usage, request: Request, completion: Completion | None = None) -> str:
    """``usageMetadata``, in which thoughts are not part of the candidates' tokens, and the results
    of the service's own tools not part of the prompt's. Those of ``completion`` are counted."""
    results = 0 if completion is None else generate_hosted.prompt_tokens(completion.choices)
    ran = f',"toolUsePromptTokenCount":{results}' if results else ""
    cached = f',"cachedContentTokenCount":{usage.cached}' if usage.cached else ""
    thoughts = f',"thoughtsTokenCount":{usage.reasoning}' if usage.reasoning else ""
    return (
        f'{{"promptTokenCount":{usage.prompt},'
        f'"candidatesTokenCount":{usage.completion - usage.reasoning},'
        f'"totalTokenCount":{usage.total + results}{cached}{ran},'
        f'"promptTokensDetails":[{modalities(usage.prompt, request.wire.media)}],'
        f'"candidatesTokensDetails":[{_answered(usage, request)}]{thoughts}}}'
    )


def _answered(usage: Usage, request: Request) -> str:
    """The candidates' tokens by modality."""
    tokens = usage.completion - usage.reasoning
    media: AnswerMedia | None = request.wire.answer
    if media is not None and media.sound:
        return f'{{"modality":"AUDIO","tokenCount":{tokens}}}'
    if media is not None and not media.text:
        return f'{{"modality":"IMAGE","tokenCount":{tokens}}}'
    return modalities(tokens, {} if media is None else {"IMAGE": PICTURE_TOKENS * request.n})


def modalities(prompt: int, media: Media) -> str:
    """The prompt's tokens by modality."""
    if not media:
        return f'{{"modality":"TEXT","tokenCount":{prompt}}}'
    counts = {**media, "TEXT": prompt - sum(media.values()) + media.get("TEXT", 0)}
    return ",".join(
        f'{{"modality":"{modality}","tokenCount":{counts[modality]}}}'
        for modality in sorted(counts)
    )
