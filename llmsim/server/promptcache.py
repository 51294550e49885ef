"""The simulated prompt cache at work: what of each prompt it holds, and what it takes in."""

from __future__ import annotations

import time
from asyncio import to_thread
from collections.abc import Callable

from llmsim.engine import caching
from llmsim.engine.answer import Rules
from llmsim.engine.caching import Hit, Prefix
from llmsim.exchange import Ask
from llmsim.shared.prefixes import Prefixes
from llmsim.shared.segment import Segment

# What is tokenised once more, for breakpoints within a message, without keeping others waiting.
INLINE_CHARACTERS = 8_000


class PromptCache:
    """One worker's view of the cache that all workers share."""

    def __init__(self, segment: Segment, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = Prefixes(segment.prefixes())
        self._clock = clock

    async def look(self, ask: Ask, rules: Rules, prompt_tokens: int) -> Hit:
        """What of the prompt was cached; from now on all that may be is."""
        given = ask, rules.model, rules.tokenizer, prompt_tokens
        if _lengthy(ask):
            prefixes = await to_thread(caching.prefixes, *given)
        else:
            prefixes = caching.prefixes(*given)
        now = int(self._clock())
        table = self._table
        new: list[Prefix] = []
        for prefix in prefixes:
            if table.holds(prefix.key, now):
                table.keep(prefix.key, now + prefix.ttl)
                return caching.hit(ask, prompt_tokens, prefix, new)
            if prefix.kept:
                table.keep(prefix.key, now + prefix.ttl)
                new.append(prefix)
        return caching.hit(ask, prompt_tokens, None, new)


def _lengthy(ask: Ask) -> bool:
    cut = [point for point in ask.breakpoints or () if point.end is not None]
    return bool(cut) and sum(point.end or 0 for point in cut) > INLINE_CHARACTERS
