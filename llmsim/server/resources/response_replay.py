"""A stored response as a stream: the events it was sent as, or will be, and when."""

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
    Seconds,
    Segment,
    Stamp,
    TextSegment,
    TokenLogprobs,
    Tool,
    Usage,
)
from llmsim.engine import tools
from llmsim.engine.compose import ModelSettings
from llmsim.engine.plan import timed
from llmsim.engine.tokens.tokenizer import Tokenizer
from llmsim.providers.openai.responses import built_in_items, conversion
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.openai.responses.params import ResponsesRequest
from llmsim.server.resources.response_archive import StoredResponse

SAME = 1e-6
"""Seconds by which two times may differ that are the same."""


def replay(
    response: StoredResponse, settings: ModelSettings, codec: OpenAIResponses, after: int
) -> Plan:
    """The events numbered higher than ``after``, due times counted from the request's arrival.

    Events that are overdue are due now. A cancelled response ends where it was cancelled.
    """
    entry = response.entry
    request = structs.replace(conversion.request(response.params), stream=True)
    stamp = Stamp(entry.mark, int(entry.arrived))
    completion = completion_of(entry.answer, settings.tokenizer, response.params)
    whole = timed(request, completion, settings, entry.seed, codec, stamp)
    times = _as_planned(whole, entry.planned_ttft, entry.planned_total)
    stop = len(times)
    if response.update.cancelled is not None:
        stop = int(np.searchsorted(times, response.update.cancelled, "right"))
    wanted = np.arange(min(after + 1, stop), stop)
    due = np.maximum(times[wanted], response.elapsed)
    return structs.replace(whole, frames=whole.frames.reorder(wanted), due=due)


def _as_planned(whole: Plan, ttft: float, total: float) -> Seconds:
    """When the events are due of a response whose first and last token are: under load they are
    later than those of one alone, and what is between them is taken to be so in proportion."""
    times = whole.due[:]
    if abs(total - whole.total) < SAME:
        return times
    pace = (total - ttft) / max(whole.total - whole.ttft, SAME)
    late = ttft + (times - whole.ttft) * pace
    return np.where(times < whole.ttft, np.minimum(times, ttft), late)


def completion_of(answer: bytes, tokenizer: Tokenizer, params: ResponsesRequest) -> Completion:
    """The completion behind a response object."""
    response = orjson.loads(answer)
    segments = [
        segment
        for item in response["output"]
        if (segment := _segment(item, tokenizer) or _built_in(item, tokenizer, params)) is not None
    ] or [TextSegment(GeneratedText("", 0))]
    tokens = sum(segment.generated.tokens for segment in segments)
    counted = response["usage"]
    usage = Usage(
        counted["input_tokens"],
        counted["output_tokens"],
        counted["output_tokens_details"]["reasoning_tokens"],
        counted["input_tokens_details"]["cached_tokens"],
        counted["input_tokens_details"]["cache_write_tokens"],
    )
    shown = any(isinstance(segment, ReasoningSegment) for segment in segments)
    hidden = 0 if shown else usage.reasoning
    choice = Choice(tuple(segments), tokens, _finish(response), hidden=hidden)
    return Completion((choice,), usage)


_CUT = {"max_output_tokens": Finish.LENGTH, "content_filter": Finish.FILTER}


def _finish(response: dict[str, Any]) -> Finish:
    details = response["incomplete_details"]
    return Finish.STOP if details is None else _CUT[details["reason"]]


def _segment(item: dict[str, Any], tokenizer: Tokenizer) -> Segment | None:
    """The segment an output item stands for; None for reasoning without a summary."""
    match item:
        case {"type": "reasoning", "summary": [{"text": str(text)}]}:
            return ReasoningSegment(tokenizer.text(text, pieces=True))
        case {"type": "message", "content": [{"type": "refusal", "refusal": str(text)}]}:
            return RefusalSegment(tokenizer.text(text, pieces=True))
        case {"type": "message", "content": [{"text": str(text), "logprobs": list(entries)}]}:
            words = tokenizer.text(text, pieces=True)
            words = structs.replace(words, logprobs=tuple(map(_logprobs, entries)))
            return TextSegment(words, built_in_items.citations(item["content"][0]["annotations"]))
        case {"type": "function_call", "name": str(name), "arguments": str(arguments)}:
            return tools.called(Tool(name), arguments, tokenizer, True)
        case {"type": "custom_tool_call", "name": str(name), "input": str(text)}:
            return tools.called(Tool(name, custom=True), text, tokenizer, True)
    return None


def _built_in(
    item: dict[str, Any], tokenizer: Tokenizer, params: ResponsesRequest
) -> Segment | None:
    """The same for a call of a tool that the provider defines."""
    called = built_in_items.client_call(item)
    if called is not None:
        tool, text = called
        return tools.called(tool, text, tokenizer, True)
    found = built_in_items.hosted_call(item, params)
    if found is None:
        return None
    return structs.replace(found, generated=tokenizer.text(found.subject, pieces=True))


def _logprobs(entry: dict[str, Any]) -> TokenLogprobs:
    return TokenLogprobs(_logprob(entry), tuple(map(_logprob, entry["top_logprobs"])))


def _logprob(entry: dict[str, Any]) -> Logprob:
    return Logprob(bytes(entry["bytes"]), entry["logprob"])
