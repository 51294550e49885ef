"""What a mock says to one request, its templates filled in."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from llmsim.config.speech import UsageSaid
from llmsim.engine.logprobs import with_logprobs
from llmsim.engine.text import Brief, before_stop, recited
from llmsim.engine.tools import fitted
from llmsim.exchange import Finish, Refused, Reply, Said, Segment, Usage


class Spoken(Struct, frozen=True, gc=False):
    """The words, and what is told of them. What is None is as it would be without a mock.

    ``calls`` are names and arguments. ``reasoning`` of no characters is no thinking at all.
    """

    content: str | None = None
    calls: tuple[tuple[str, str], ...] = ()
    refusal: str | None = None
    reasoning: str | None = None
    finish: Finish | None = None
    usage: UsageSaid | None = None

    @property
    def speaks(self) -> bool:
        """Whether it has words of its own to answer with."""
        return self.content is not None or self.refusal is not None or bool(self.calls)


def said(spoken: Spoken, brief: Brief) -> tuple[tuple[Segment, ...], Finish, str | None]:
    """The answer's segments, why it ended, and the stop sequence that ended it if one did.

    As with any other answer the limit cuts it, and a stop sequence ends it: what would come after
    that is not said.
    """
    if spoken.refusal is not None:
        words, whole = recited(spoken.refusal, brief)
        return (Refused(words),), Finish.STOP if whole else Finish.LENGTH, None
    segments: list[Segment] = []
    limit = brief.limit
    if spoken.content is not None and (spoken.content or not spoken.calls):
        words, whole = recited(spoken.content, brief)
        hit = before_stop(words.text, brief.ask.stop) if brief.ask.stop else None
        if hit is not None:
            words, _ = recited(hit[0], brief)
        if brief.ask.logprobs is not None:
            words = with_logprobs(words, brief.ask.logprobs, brief.tokenizer, brief.seed)
        segments.append(Said(words))
        if hit is not None:
            return tuple(segments), Finish.STOP, hit[1]
        if not whole:
            return tuple(segments), Finish.LENGTH, None
        limit -= words.tokens
    custom = {tool.name for tool in brief.ask.tools if tool.custom}
    for name, text in spoken.calls:
        called, whole = fitted(name, text, name in custom, limit, brief.tokenizer, brief.pieces)
        segments.append(called)
        if not whole:
            return tuple(segments), Finish.LENGTH, None
        limit -= called.words.tokens
    return tuple(segments), Finish.TOOLS if spoken.calls else Finish.STOP, None


def counted(reply: Reply, told: UsageSaid) -> Reply:
    """The reply with the usage that is to be told in place of the real one."""
    real = reply.usage
    prompt = real.prompt if told.prompt_tokens is None else told.prompt_tokens
    completion = real.completion if told.completion_tokens is None else told.completion_tokens
    reasoning = real.reasoning if told.reasoning_tokens is None else told.reasoning_tokens
    cached = real.cached if told.cached_tokens is None else told.cached_tokens
    # What is only part of a smaller whole now is all of it.
    cached = min(cached, prompt)
    written = min(real.cache_written, prompt - cached)
    usage = Usage(
        prompt,
        completion,
        min(reasoning, completion),
        cached,
        written,
        min(real.cache_written_hour, written),
    )
    return replace(reply, usage=usage)
