"""OpenAI chat completions: the answer, plain and streamed.

Shapes as openai 3.54 types them in ``types.chat.chat_completion`` and
``types.chat.chat_completion_chunk``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import orjson
from msgspec.structs import replace

from llmsim.core import (
    END,
    FIRST,
    Choice,
    Completion,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Stamp,
    StreamScript,
    TextSegment,
    ToolCallSegment,
    Usage,
)
from llmsim.core.errors import Failure
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.chat import audio, chunks, continuous_usage, reading
from llmsim.providers.openai.chat import strict as chat_strict
from llmsim.providers.openai.chat.params import ChatRequest
from llmsim.providers.openai.deltas import choice_logprobs
from llmsim.providers.openai.strict import prepare
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun, BeatRuns, later

PREFIX = "chatcmpl-LMs"
"""What ids begin with: 29 characters after the hyphen, the last 26 of them the stamp's."""

# What surrounds the text of the one choice that most answers are.
_WORDS = b'{"index":0,"message":{"role":"assistant","content":'
_WORDS_END = {
    reason: b',"refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"%b"}' % spelling
    for reason, spelling in chunks.FINISH.items()
}


class OpenAIChat:
    """``POST /v1/chat/completions``. ``strict`` refuses all that the live service refuses;
    ``notes`` is what a service adds to the chunks of its streams, ``also`` the fields that its
    requests may have beside OpenAI's."""

    name = "openai_chat"

    def __init__(
        self,
        strict: bool = False,
        notes: chunks.ChoiceNotes = chunks.NO_NOTES,
        also: tuple[str, ...] = (),
    ) -> None:
        self._strict = strict
        if strict:
            prepare("openai_chat")
        self._notes = notes
        self._also = also

    def decode(self, body: bytes) -> Request:
        request = reading.read(body)
        if self._strict:
            chat_strict.check(body, request.wire, self._also)
        return request

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return openai_errors.error_event(failure)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        choices = completion.choices
        return b"".join(
            (
                _head(request, stamp, "chat.completion"),
                _choice(0, choices[0], request.wire, stamp)
                if len(choices) == 1
                else b",".join(
                    [_choice(i, one, request.wire, stamp) for i, one in enumerate(choices)]
                ),
                b'],"usage":',
                _usage(completion.usage, request, completion),
                b"}",
            )
        )

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        wire: ChatRequest = request.wire
        counted, usage_wanted = wire.counted, wire.usage_wanted
        prefix = b"data: " + _head(request, stamp, "chat.completion.chunk")
        style = chunks.ChunkStyle(
            _usage_member(wire), wire.obfuscated, wire.legacy, stamp, self._notes, wire.routed
        )
        tails: list[Sequence[bytes]] = []
        beats: list[BeatRun] = []
        parts: list[int] = []
        offset = 0
        # All roles are due with the first token of any choice: the SDK's ``.stream()`` wants
        # choices to begin in order.
        role = 0 if len(completion.choices) == 1 else FIRST
        for index, choice in enumerate(completion.choices):
            text = audio.said(choice, wire)
            if text is None:
                content, ends = chunks.choice_chunks(index, choice, style)
            else:
                content, ends = chunks.audio_chunks(index, choice, text, style)
            if counted:
                content = _counted(content, ends, choice, completion, request)
            tails += content
            beats += [((role,), 0), *later(ends, offset)]
            parts.append(sum(map(len, content)))
            offset += choice.beats
        if usage_wanted:
            tails.append([b'],"usage":%b}\n\n' % _usage(completion.usage, request, completion)])
        beats.append(((END,) * (1 + usage_wanted), 0))
        parts.append(1 + usage_wanted)
        frames = sse.Spliced(prefix, sse.Chained(tails), sse.DONE, self._notes.opening)
        return StreamScript(frames, BeatRuns(beats), parts)


def _head(request: Request, stamp: Stamp, kind: str) -> bytes:
    """Everything before the choices."""
    about = _about(request.model, request.wire.service_tier)
    return (
        f'{{"id":"{PREFIX}{stamp.mark}","object":"{kind}","created":{stamp.created},{about},'
        '"choices":['
    ).encode()


def _usage_member(wire: ChatRequest) -> bytes:
    """What the chunks of a stream have of the usage."""
    if wire.counted:
        return continuous_usage.MEMBER
    return b',"usage":null' if wire.usage_wanted else b""


def _counted(
    content: Sequence[Sequence[bytes]],
    ends: Sequence[BeatRun],
    choice: Choice,
    completion: Completion,
    request: Request,
) -> list[Sequence[bytes]]:
    """The tails of one choice's chunks with the usage so far in each."""
    used = completion.usage
    hidden = choice.hidden

    def usage(tokens: int) -> bytes:
        reasoning = min(used.reasoning, hidden or tokens)
        so_far = replace(used, completion=hidden + tokens, reasoning=reasoning)
        return _usage(so_far, request)

    return [continuous_usage.CountedTails(sse.Chained(content), BeatRuns(ends), usage)]


@lru_cache(maxsize=4096)
def _about(model: str, tier: str | None) -> str:
    answered = tier if tier is not None and tier != "auto" else "default"
    return (
        f'"model":{orjson.dumps(model).decode()},"service_tier":{orjson.dumps(answered).decode()},'
        f'"system_fingerprint":"{openai_errors.fingerprint(model)}"'
    )


def _usage(usage: Usage, request: Request, completion: Completion | None = None) -> bytes:
    """The usage, of a whole ``completion`` with the tokens of its sound."""
    heard = said = 0
    detail = ""
    if request.media is not None:
        heard = request.media.prompt
        if completion is not None and request.wire.audio_wanted:
            said = audio.completion_tokens(request, completion)
            detail = f',"text_tokens":{usage.completion - usage.reasoning - said}'
    return (
        f'{{"prompt_tokens":{usage.prompt},"completion_tokens":{usage.completion},'
        f'"total_tokens":{usage.total},'
        f'"prompt_tokens_details":{{"cached_tokens":{usage.cached},"audio_tokens":{heard}}},'
        f'"completion_tokens_details":{{"reasoning_tokens":{usage.reasoning},"audio_tokens":{said},'
        f'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0{detail}}}}}'
    ).encode()


def _choice(index: int, choice: Choice, wire: ChatRequest, stamp: Stamp) -> bytes:
    first = choice.segments[0]
    if (
        index == 0
        and len(choice.segments) == 1
        and type(first) is TextSegment
        and not first.generated.logprobs
        and not wire.audio_wanted
    ):
        return _WORDS + orjson.dumps(first.generated.text) + _WORDS_END[choice.finish]
    content = refusal = entries = b"null"
    thoughts = annotated = b""
    calls: list[ToolCallSegment] = []
    for segment in choice.segments:
        match segment:
            case TextSegment(generated=words, citations=citations):
                content = orjson.dumps(words.text)
                annotated = b",".join(chunks.cited(citations)) if citations else b""
                if words.logprobs:
                    entries = choice_logprobs(words.logprobs)
            case RefusalSegment(generated=words):
                refusal = orjson.dumps(words.text)
            case ReasoningSegment(generated=words):
                thoughts = chunks.reasoning(words.text, wire.routed)
            case ToolCallSegment():
                calls.append(segment)
    called = _calls(index, calls, wire, stamp) if calls else b""
    text = audio.said(choice, wire)
    if text is not None:
        content, entries = b"null", b"null"
        called += audio.member(index, text, wire, stamp)
    return (
        b'{"index":%d,"message":{"role":"assistant","content":%b%b,"refusal":%b,'
        b'"annotations":[%b]%b},'
        % (
            index,
            content,
            thoughts,
            refusal,
            annotated,
            called,
        )
        + b'"logprobs":%b,"finish_reason":"%b"}'
        % (
            entries,
            chunks.finish(choice.finish, wire.legacy),
        )
    )


def _calls(index: int, calls: list[ToolCallSegment], wire: ChatRequest, stamp: Stamp) -> bytes:
    if wire.legacy:
        made = {"name": calls[0].name, "arguments": calls[0].generated.text}
        return b',"function_call":' + orjson.dumps(made)
    listed = []
    for place, call in enumerate(calls):
        kind, text_key = ("custom", "input") if call.custom else ("function", "arguments")
        listed.append(
            {
                "id": openai_errors.call_id(stamp, chunks.CALLS * index + place),
                "type": kind,
                kind: {"name": call.name, text_key: call.generated.text},
            }
        )
    return b',"tool_calls":' + orjson.dumps(listed)
