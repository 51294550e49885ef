"""The simulated prompt cache at work: what of each prompt it holds, and what it takes in."""

from __future__ import annotations

import time
from asyncio import to_thread
from collections.abc import Callable

from llmsim.core import Request
from llmsim.engine.compose import ModelSettings
from llmsim.engine.tokens import prompt_cache
from llmsim.engine.tokens.prompt_cache import Hit, Prefix
from llmsim.state.shm.prompt_prefixes import Prefixes
from llmsim.state.shm.segment import Segment

# What is tokenised once more, for breakpoints within a message, without keeping others waiting.
INLINE_CHARACTERS = 8_000


class PromptCache:
    """One worker's view of the cache that all workers share."""

    def __init__(self, segment: Segment, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = Prefixes(segment.prefixes())
        self._clock = clock

    async def lookup(self, request: Request, settings: ModelSettings, prompt_tokens: int) -> Hit:
        """What of the prompt was cached; from now on all that may be is."""
        given = request, settings.model, settings.tokenizer, prompt_tokens
        if _lengthy(request):
            prefixes = await to_thread(prompt_cache.prefixes, *given)
        else:
            prefixes = prompt_cache.prefixes(*given)
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
    cut = [point for point in request.breakpoints or () if point.end is not None]
    return bool(cut) and sum(point.end or 0 for point in cut) > INLINE_CHARACTERS
