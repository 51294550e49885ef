"""The simulated prompt cache at work: what of each prompt it holds, and what it takes in."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from llmsim.core import Request
from llmsim.core.state import Offload, PromptPrefixes
from llmsim.engine.compose import ModelSettings
from llmsim.engine.tokens import prompt_cache
from llmsim.engine.tokens.prompt_cache import Hit, Prefix

INLINE_CHARACTERS = 8_000
"""Characters that are tokenised without keeping others waiting: about a tenth of a millisecond."""


class PromptCache:
    """Asks the cache that all workers share."""

    def __init__(self, prefixes: PromptPrefixes, offload: Offload) -> None:
        self._prefixes = prefixes
        self._offload = offload

    async def lookup(
        self, request: Request, settings: ModelSettings, prompt_tokens: int, api_key: str = ""
    ) -> Hit:
        """What of the prompt was cached for that API key; from now on all that may be is."""
        prompt = request, settings.model, settings.tokenizer, prompt_tokens
        if _lengthy(request):
            prefixes = await self._offload(prompt_cache.prefixes, *prompt)
        else:
            prefixes = prompt_cache.prefixes(*prompt)
        new: list[Prefix] = []
        salt = _salt(api_key)
        for prefix in prefixes:
            key = prefix.key ^ salt
            if self._prefixes.holds(key):
                self._prefixes.keep(key, prefix.ttl)
                return prompt_cache.hit(request, prompt_tokens, prefix, new)
            if prefix.kept:
                self._prefixes.keep(key, prefix.ttl)
                new.append(prefix)
        return prompt_cache.hit(request, prompt_tokens, None, new)


@lru_cache(maxsize=4096)
def _salt(api_key: str) -> int:
    """64 bits that set the prefixes of one API key apart from those of any other."""
    digest = blake2b(api_key.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _lengthy(request: Request) -> bool:
    """Whether breakpoints within messages make for much text to tokenise once more."""
    cut = [point for point in request.breakpoints or () if point.end is not None]
    return bool(cut) and sum(point.end or 0 for point in cut) > INLINE_CHARACTERS
