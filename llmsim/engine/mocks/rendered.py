"""A mock's response to one request, its templates filled in."""

from __future__ import annotations

from msgspec.structs import replace

from llmsim.core import Completion, Finish, RefusalSegment, Segment, TextSegment, Tool, Usage
from llmsim.core.mocks.response import MockUsage
from llmsim.core.value import Value
from llmsim.engine import hosted
from llmsim.engine.logprobs import with_logprobs
from llmsim.engine.seeds import mix
from llmsim.engine.text import Brief, before_stop, recited
from llmsim.engine.tools import fitted


class RenderedMock(Value, frozen=True, gc=False):
    """The response, and what is reported about it. What is None is as it would be without a mock.

    ``calls`` are names and arguments. ``reasoning`` of no characters is no thinking at
    all. ``reason`` is the word for ``finish``, ``block`` why Gemini does not answer the prompt.
    """

    content: str | None = None
    calls: tuple[tuple[str, str], ...] = ()
    refusal: str | None = None
    reasoning: str | None = None
    finish: Finish | None = None
    usage: MockUsage | None = None
    reason: str | None = None
    block: str | None = None

    @property
    def has_answer(self) -> bool:
        """Whether it replaces the answer itself."""
        return self.content is not None or self.refusal is not None or bool(self.calls)


def mock_segments(
    mock: RenderedMock, brief: Brief
) -> tuple[tuple[Segment, ...], Finish, str | None]:
    """The answer's segments, why it ended, and the stop sequence that ended it if one did.

    As with any other answer the limit cuts it, and a stop sequence ends it: what would come after
    that is left out.
    """
    if mock.refusal is not None:
        generated, whole = recited(mock.refusal, brief)
        return (RefusalSegment(generated),), Finish.STOP if whole else Finish.LENGTH, None
    segments: list[Segment] = []
    limit = brief.limit
    offered = {tool.name: tool for tool in brief.request.tools}
    calls = [(offered.get(name) or Tool(name), text) for name, text in mock.calls]
    ran = [
        hosted.called(
            tool, hosted.subject_of(text), brief.request, mix(brief.seed, place), brief.tokenizer
        )
        for place, (tool, text) in enumerate(calls)
        if tool.hosted is not None
    ]
    calls = [(tool, text) for tool, text in calls if tool.hosted is None]
    for call in ran:
        segments.append(call)
        limit -= call.generated.tokens
    if mock.content is not None and (mock.content or not calls):
        generated, whole = recited(mock.content, brief)
        hit = before_stop(generated.text, brief.request.stop) if brief.request.stop else None
        if hit is not None:
            generated, _ = recited(hit[0], brief)
        if brief.request.logprobs is not None:
            generated = with_logprobs(
                generated, brief.request.logprobs, brief.tokenizer, brief.seed
            )
        segments += hosted.with_citations((TextSegment(generated),), tuple(ran), brief.request)
        if hit is not None:
            return tuple(segments), Finish.STOP, hit[1]
        if not whole:
            return tuple(segments), Finish.LENGTH, None
        limit -= generated.tokens
    for tool, text in calls:
        called, whole = fitted(tool, text, limit, brief.tokenizer, brief.pieces)
        segments.append(called)
        if not whole:
            return tuple(segments), Finish.LENGTH, None
        limit -= called.generated.tokens
    return tuple(segments), Finish.TOOLS if calls else Finish.STOP, None


def with_usage(completion: Completion, usage: MockUsage) -> Completion:
    """The completion with the usage that is to be reported in place of the real one."""
    real = completion.usage
    prompt = real.prompt if usage.prompt_tokens is None else usage.prompt_tokens
    completed = real.completion if usage.completion_tokens is None else usage.completion_tokens
    reasoning = real.reasoning if usage.reasoning_tokens is None else usage.reasoning_tokens
    cached = real.cached if usage.cached_tokens is None else usage.cached_tokens
    # What is only part of a smaller whole now is all of it.
    cached = min(cached, prompt)
    written = min(real.cache_written, prompt - cached)
    adjusted = Usage(
        prompt,
        completed,
        min(reasoning, completed),
        cached,
        written,
        min(real.cache_written_hour, written),
    )
    return replace(completion, usage=adjusted)
