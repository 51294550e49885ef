"""The simulated prompt cache of a server: how much of each prompt is cached, and what is added."""

from __future__ import annotations

import time
from asyncio import to_thread
from collections.abc import Callable

from llmsim.core import Request
from llmsim.engine.compose import ModelSettings
from llmsim.engine.tokens import prompt_cache
from llmsim.engine.tokens.prompt_cache import Hit, Prefix
from llmsim.state.shm.prompt_prefixes import PromptPrefixes
from llmsim.state.shm.segment import Segment

# Text before breakpoints within a message is tokenised again; up to this much on the event loop.
INLINE_CHARACTERS = 8_000


class PromptCache:
    """One worker's view of the cache that all workers share."""

    def __init__(self, segment: Segment, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = PromptPrefixes(segment.prefixes())
        self._clock = clock

    async def lookup(self, request: Request, settings: ModelSettings, prompt_tokens: int) -> Hit:
        """How much of the prompt was cached. From now on, all of it that may be cached is."""
        args = request, settings.model, settings.tokenizer, prompt_tokens
        if _lengthy(request):
            prefixes = await to_thread(prompt_cache.prefixes, *args)
        else:
            prefixes = prompt_cache.prefixes(*args)
        now = int(self._clock())
        table = self._table
        new: list[Prefix] = []
        for prefix in prefixes:
            if table.holds(prefix.key, now):
                table.keep(prefix.key, now + prefix.ttl)
                return prompt_cache.hit(request, prompt_tokens, prefix, new)
            if prefix.kept:
                table.keep(prefix.key, now + prefix.ttl)
                new.append(prefix)
        return prompt_cache.hit(request, prompt_tokens, None, new)


def _lengthy(request: Request) -> bool:
    within = [point for point in request.breakpoints or () if point.end is not None]
    return bool(within) and sum(point.end or 0 for point in within) > INLINE_CHARACTERS
