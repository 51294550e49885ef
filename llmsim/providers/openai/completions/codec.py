"""OpenAI's legacy completions: the answer, plain and streamed (``types.completion``).

Choices come prompt by prompt: choice number prompt × n + k is the k-th for its prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import orjson

from llmsim.core import (
    END,
    Choice,
    Completion,
    Finish,
    GeneratedText,
    Request,
    Stamp,
    StreamScript,
    Usage,
)
from llmsim.core.errors import Failure, TooLong
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.completions import params
from llmsim.providers.openai.completions import strict as completions_strict
from llmsim.providers.openai.completions.logprobs import logprobs_object
from llmsim.providers.openai.completions.params import CompletionRequest
from llmsim.providers.openai.deltas import by_piece
from llmsim.providers.provider import ErrorFormat
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun, BeatRuns, later

# Completions call no tools.
FINISH = {
    Finish.STOP: b"stop",
    Finish.LENGTH: b"length",
    Finish.TOOLS: b"stop",
    Finish.FILTER: b"content_filter",
}


def error_format() -> ErrorFormat:
    """OpenAI's, with this endpoint's own message for a prompt that is too long."""
    return replace(openai_errors.FORMAT, failure=_failure)


class OpenAICompletions:
    """``POST /v1/completions``. ``strict`` refuses all that the live service refuses."""

    name = "openai_completions"

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict

    def decode(self, body: bytes) -> Request:
        request = params.read(body)
        if self._strict:
            completions_strict.check(body, request.wire)
        return request

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return openai_errors.error_event(failure)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        wire: CompletionRequest = request.wire
        choices = b",".join(
            _choice(place, one, wire) for place, one in enumerate(completion.choices)
        )
        return b'%b%b],"usage":%b}' % (_head(request, stamp), choices, _usage(completion.usage))

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        wire: CompletionRequest = request.wire
        tails: list[Sequence[bytes]] = []
        beats: list[BeatRun] = []
        parts: list[int] = []
        offset = 0
        for index, choice in enumerate(completion.choices):
            chunks, ends = _chunks(index, choice, wire)
            tails += chunks
            beats += later(ends, offset)
            parts.append(sum(map(len, chunks)))
            offset += choice.beats
        if wire.usage_wanted:
            tails.append([b'],"usage":%b}\n\n' % _usage(completion.usage)])
        beats.append(((END,) * (1 + wire.usage_wanted), 0))
        parts.append(1 + wire.usage_wanted)
        prefix = sse.HEAD + _head(request, stamp)
        frames = sse.Spliced(prefix, sse.Chained(tails), sse.DONE)
        return StreamScript(frames, BeatRuns(beats), parts)


def _failure(failed: Failure, stamp: Stamp) -> tuple[int, bytes]:
    if failed.too_long is not None:
        failed = replace(failed, message=_too_long(failed.too_long), param=None)
    return openai_errors.failure(failed)


def _too_long(excess: TooLong) -> str:
    return (
        f"This model's maximum context length is {excess.window} tokens, however you requested "
        f"{excess.prompt + excess.wanted} tokens ({excess.prompt} in your prompt; {excess.wanted} "
        "for the completion). Please reduce your prompt; or completion length."
    )


def _head(request: Request, stamp: Stamp) -> bytes:
    """Everything before the choices, the same in the answer and in every chunk."""
    return (
        f'{{"id":"cmpl-LMs{stamp.mark}","object":"text_completion","created":{stamp.created},'
        f'"model":{orjson.dumps(request.model).decode()},'
        f'"system_fingerprint":"{openai_errors.fingerprint(request.model)}","choices":['
    ).encode()


def _usage(usage: Usage) -> bytes:
    return b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}' % (
        usage.prompt,
        usage.completion,
        usage.total,
    )


def _choice(index: int, choice: Choice, wire: CompletionRequest) -> bytes:
    generated = _generated(choice)
    text, entries, prompted = generated.text, generated.logprobs, False
    offset = len(choice.prompt.text) if choice.prompt is not None else 0
    if choice.prompt is not None and wire.echo:
        text = choice.prompt.text + text
        entries = choice.prompt.logprobs + entries
        offset, prompted = 0, bool(choice.prompt.logprobs)
    logprobs_json = b"null"
    if wire.logprobs is not None:
        logprobs_json = logprobs_object(entries, offset, wire.logprobs, prompted)
    return _choice_object(index, text, logprobs_json, FINISH[choice.finish])


def _choice_object(index: int, text: str, logprobs_json: bytes, reason: bytes | None) -> bytes:
    return b'{"text":%b,"index":%d,"logprobs":%b,"finish_reason":%b}' % (
        orjson.dumps(text),
        index,
        logprobs_json,
        b"null" if reason is None else b'"%b"' % reason,
    )


def _generated(choice: Choice) -> GeneratedText:
    """A completion is a single piece of text, even where it is a refusal."""
    return choice.segments[0].generated


def _chunks(
    index: int, choice: Choice, wire: CompletionRequest
) -> tuple[list[Sequence[bytes]], list[BeatRun]]:
    """Tails of one choice's chunks and their beats: the prompt if it is echoed, the pieces, and
    an empty one with the finish reason."""
    generated = _generated(choice)
    usage = b',"usage":null' if wire.usage_wanted else b""
    close = b"]" + usage + b"}\n\n"
    if wire.logprobs is None:
        content: Sequence[bytes] = sse.PieceTails(_tails(index, usage), generated.pieces)
    else:
        content = [
            _choice_object(index, piece, logprobs_json, None) + close
            for piece, logprobs_json in _pieces(choice, generated, wire.logprobs)
        ]
    tails: list[Sequence[bytes]] = [content]
    beats: list[BeatRun] = [(generated.ends, 0), ((choice.beats - 1,), 0)]
    echoed = choice.prompt if wire.echo else None
    if echoed is not None:
        logprobs_json = b"null" if wire.logprobs is None else _of_prompt(echoed, wire.logprobs)
        tails.insert(0, [_choice_object(index, echoed.text, logprobs_json, None) + close])
        beats.insert(0, ((0,), 0))
    tails.append([_choice_object(index, "", b"null", FINISH[choice.finish]) + close])
    return tails, beats


def _pieces(choice: Choice, generated: GeneratedText, top: int) -> list[tuple[str, bytes]]:
    """Each piece with its log probabilities."""
    offset = len(choice.prompt.text) if choice.prompt is not None else 0
    pieces = []
    for piece, entries in zip(generated.pieces, by_piece(generated), strict=True):
        pieces.append((piece, logprobs_object(entries, offset, top)))
        offset += len(piece)
    return pieces


def _of_prompt(prompt: GeneratedText, top: int) -> bytes:
    return logprobs_object(prompt.logprobs, 0, top, unprompted=True)


@lru_cache(maxsize=256)
def _tails(index: int, usage: bytes) -> sse.Tails:
    def serialize(piece: str) -> bytes:
        return _choice_object(index, piece, b"null", None) + b"]" + usage + b"}\n\n"

    return sse.Tails(serialize)
