"""OpenAI chat completions: the answer, plain and streamed.

Shapes as openai 3.54 types them in ``types.chat.chat_completion`` and
``types.chat.chat_completion_chunk``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from llmsim.dialects import openai, openai_chat_request, sse
from llmsim.dialects.openai_chat_request import ChatRequest
from llmsim.errors import Failure
from llmsim.exchange import (
    Ask,
    Beats,
    Choice,
    Finish,
    Headers,
    Logprob,
    Plan,
    Reply,
    Said,
    Script,
    Stamp,
    Text,
    TokenLogprobs,
    Usage,
)

FINISH = {
    Finish.STOP: b'"stop"',
    Finish.LENGTH: b'"length"',
    Finish.TOOLS: b'"tool_calls"',
    Finish.FILTER: b'"content_filter"',
}
_PADDING = "x7Kq2mVb9LtRw4ZcYd8HsNf3"
_CACHED_TAILS = 65_536


class Tails(dict[str, bytes]):
    """What follows the prefix in a content chunk, by piece: the same for every answer."""

    def __init__(self, index: int, usage: bytes, obfuscated: bool) -> None:
        super().__init__()
        self._before = b'{"index":%d,"delta":{"content":' % index
        self._after = b'},"logprobs":null,"finish_reason":null}]' + usage
        self._obfuscated = obfuscated

    def __missing__(self, piece: str) -> bytes:
        if len(self) >= _CACHED_TAILS:
            self.clear()
        end = _obfuscation(piece) if self._obfuscated else b""
        made = self._before + orjson.dumps(piece) + self._after + end + b"}\n\n"
        self[piece] = made
        return made


def _obfuscation(piece: str) -> bytes:
    """Padding that hides a piece's length from whoever watches the sizes of packets."""
    return b',"obfuscation":"%b"' % _PADDING[: 1 + max(0, 15 - len(piece))].encode()


@lru_cache(maxsize=1024)
def _tails(index: int, usage: bytes, obfuscated: bool) -> Tails:
    return Tails(index, usage, obfuscated)


class OpenAIChat:
    """``POST /v1/chat/completions``."""

    name = "openai_chat"

    def decode(self, body: bytes) -> Ask:
        return openai_chat_request.read(body)

    def failure(self, failure: Failure, stamp: Stamp) -> tuple[int, bytes]:
        return openai.failure(failure)

    def headers(self, plan: Plan, stamp: Stamp) -> Headers:
        kind = _STREAM if plan.stream else _JSON
        return [*kind, *openai.headers(plan, stamp)]

    def plain(self, ask: Ask, reply: Reply, stamp: Stamp) -> bytes:
        choices = b",".join([_choice(i, choice) for i, choice in enumerate(reply.choices)])
        return b'{"id":"chatcmpl-%b","object":"chat.completion","created":%d,%b,"choices":[%b],' % (
            _id(stamp),
            stamp.created,
            _about(ask.model, ask.wire.service_tier),
            choices,
        ) + b'"usage":%b}' % _usage(reply.usage)

    def script(self, ask: Ask, reply: Reply, stamp: Stamp) -> Script:
        wire: ChatRequest = ask.wire
        prefix = (
            b'data: {"id":"chatcmpl-%b","object":"chat.completion.chunk","created":%d,%b,"choices":['
            % (_id(stamp), stamp.created, _about(ask.model, wire.service_tier))
        )
        usage = b',"usage":null' if wire.usage_wanted else b""
        tails: list[bytes] = []
        beats = []
        offset = 0
        for index, choice in enumerate(reply.choices):
            content, places = _chunks(index, choice, usage, wire.obfuscated)
            tails += content
            beats.append(places + offset if offset else places)
            offset += choice.beats
        if wire.usage_wanted:
            tails.append(b'],"usage":%b}\n\n' % _usage(reply.usage))
        beats.append(sse.beats(0, 0, 0, 1 + wire.usage_wanted))
        return Script(sse.Spliced(prefix, tails, sse.DONE), np.concatenate(beats))


_JSON: Headers = [("content-type", "application/json")]
_STREAM: Headers = [("content-type", sse.CONTENT_TYPE), ("cache-control", "no-cache")]
_ROLE = b'"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]'


def _id(stamp: Stamp) -> bytes:
    """29 characters after the prefix; the last 26 are the stamp's."""
    return b"LMs" + stamp.mark.encode()


@lru_cache(maxsize=4096)
def _about(model: str, tier: str | None) -> bytes:
    answered = tier if tier is not None and tier != "auto" else "default"
    return b'"model":%b,"service_tier":%b,"system_fingerprint":"%b"' % (
        orjson.dumps(model),
        orjson.dumps(answered),
        openai.fingerprint(model).encode(),
    )


def _usage(usage: Usage) -> bytes:
    return (
        b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,'
        b'"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},'
        b'"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":0,'
        b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
        % (usage.prompt, usage.completion, usage.total, usage.cached, usage.reasoning)
    )


def _choice(index: int, choice: Choice) -> bytes:
    words = _said(choice).words
    return (
        b'{"index":%d,"message":{"role":"assistant","content":%b,"refusal":null,"annotations":[]},'
        b'"logprobs":%b,"finish_reason":%b}'
    ) % (
        index,
        orjson.dumps(words.text),
        _logprobs(words.logprobs),
        FINISH[choice.finish],
    )


def _said(choice: Choice) -> Said:
    (segment,) = choice.segments
    assert isinstance(segment, Said)
    return segment


def _chunks(
    index: int, choice: Choice, usage: bytes, obfuscated: bool
) -> tuple[list[bytes], Beats]:
    """Tails of one choice's chunks, role first and finish reason last, and their beats."""
    words = _said(choice).words
    head = b'{"index":%d,' % index
    close = usage + b"}\n\n"
    if words.logprobs:
        middle = [
            head
            + b'"delta":{"content":%b},"logprobs":%b,"finish_reason":null}]%b'
            % (orjson.dumps(piece), _logprobs(entries), close)
            for piece, entries in zip(words.pieces, _entries(words), strict=True)
        ]
    else:
        middle = list(map(_tails(index, usage, obfuscated).__getitem__, words.pieces))
    finish = b'"delta":{},"logprobs":null,"finish_reason":%b}]' % FINISH[choice.finish]
    tails = [head + _ROLE + close, *middle, head + finish + close]
    if len(words.pieces) == words.tokens:
        return tails, sse.beats(words.tokens, 1, 1, 0)
    return tails, sse.beats_of(words.ends, choice.beats, 1, 1, 0)


def _entries(words: Text) -> Iterator[tuple[TokenLogprobs, ...]]:
    """The log probabilities that belong to each piece."""
    start = 0
    for end in words.ends:
        yield words.logprobs[start : end + 1]
        start = end + 1


def _logprobs(entries: tuple[TokenLogprobs, ...]) -> bytes:
    if not entries:
        return b"null"
    content = [
        {**_token(entry.said), "top_logprobs": [_token(other) for other in entry.top]}
        for entry in entries
    ]
    return orjson.dumps({"content": content, "refusal": None})


def _token(said: Logprob) -> dict[str, Any]:
    return {
        "token": said.token.decode(errors="replace"),
        "logprob": said.logprob,
        "bytes": list(said.token),
    }
