"""A kept response as a stream: the events it has been or will be sent with, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from msgspec import structs

from llmsim.core import (
    Choice,
    Completion,
    Finish,
    GeneratedText,
    Logprob,
    Plan,
    ReasoningSegment,
    RefusalSegment,
    Segment,
    Stamp,
    TextSegment,
    TokenLogprobs,
    Usage,
)
from llmsim.engine import tools
from llmsim.engine.compose import ModelSettings
from llmsim.engine.plan import timed
from llmsim.engine.tokens.tokenizer import Tokenizer
from llmsim.providers.openai.responses import conversion
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.server.resources.response_archive import StoredResponse


def replay(
    kept: StoredResponse, settings: ModelSettings, codec: OpenAIResponses, after: int
) -> Plan:
    """The events numbered higher than ``after``, due times counted from the request's arrival.

    What is overdue is due now. A cancelled response ends where it was cancelled.
    """
    entry = kept.entry
    request = structs.replace(conversion.request(kept.params), stream=True)
    stamp = Stamp(entry.mark, int(entry.arrived))
    completion = reply_of(entry.answer, settings.tokenizer)
    whole = timed(request, completion, settings, entry.seed, codec, stamp)
    stop = len(whole.due)
    if kept.update.cancelled is not None:
        stop = int(np.searchsorted(whole.due, kept.update.cancelled, "right"))
    wanted = np.arange(min(after + 1, stop), stop)
    due = np.maximum(whole.due[wanted], kept.elapsed)
    return structs.replace(whole, frames=whole.frames.reorder(wanted), due=due)


def reply_of(answer: bytes, tokenizer: Tokenizer) -> Completion:
    """What was said, read back from a response object."""
    told = orjson.loads(answer)
    segments = [
        segment for item in told["output"] if (segment := _segment(item, tokenizer)) is not None
    ] or [TextSegment(GeneratedText("", 0))]
    tokens = sum(segment.generated.tokens for segment in segments)
    counted = told["usage"]
    usage = Usage(
        counted["input_tokens"],
        counted["output_tokens"],
        counted["output_tokens_details"]["reasoning_tokens"],
        counted["input_tokens_details"]["cached_tokens"],
        counted["input_tokens_details"]["cache_write_tokens"],
    )
    return Completion((Choice(tuple(segments), tokens, _finish(told)),), usage)


_CUT = {"max_output_tokens": Finish.LENGTH, "content_filter": Finish.FILTER}


def _finish(told: dict[str, Any]) -> Finish:
    details = told["incomplete_details"]
    return Finish.STOP if details is None else _CUT[details["reason"]]


def _segment(item: dict[str, Any], tokenizer: Tokenizer) -> Segment | None:
    """An item of the answer in neutral words; None for reasoning that is not shown."""
    match item:
        case {"type": "reasoning", "summary": [{"text": str(text)}]}:
            return ReasoningSegment(tokenizer.text(text, pieces=True))
        case {"type": "message", "content": [{"type": "refusal", "refusal": str(text)}]}:
            return RefusalSegment(tokenizer.text(text, pieces=True))
        case {"type": "message", "content": [{"text": str(text), "logprobs": list(entries)}]}:
            words = tokenizer.text(text, pieces=True)
            return TextSegment(structs.replace(words, logprobs=tuple(map(_logprobs, entries))))
        case {"type": "function_call", "name": str(name), "arguments": str(said)}:
            return tools.called(name, said, False, tokenizer, True)
        case {"type": "custom_tool_call", "name": str(name), "input": str(said)}:
            return tools.called(name, said, True, tokenizer, True)
    return None


def _logprobs(entry: dict[str, Any]) -> TokenLogprobs:
    return TokenLogprobs(_logprob(entry), tuple(map(_logprob, entry["top_logprobs"])))


def _logprob(entry: dict[str, Any]) -> Logprob:
    return Logprob(bytes(entry["bytes"]), entry["logprob"])
