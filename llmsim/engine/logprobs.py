"""Log probabilities of text that no model made: plausible, ordered, decided by the seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import structs

from llmsim.core import Completion, GeneratedText, Logprob, TokenLogprobs
from llmsim.engine.seeds import fraction, mix
from llmsim.engine.tokens.tokenizer import Tokenizer

_OTHERS = tuple(
    b" " + word.encode()
    for word in (  # noqa: SIM905  two lines of words read better than forty of literals
        "the a an and or but in on at to for of with by from as is was are be this that it not "
        "can will more most some any all one two new first last good other same own such only"
    ).split(" ")
)


def logprobs(tokens: Sequence[bytes], top: int, seed: int) -> tuple[TokenLogprobs, ...]:
    """One entry a token, with the ``top`` likeliest tokens in its place.

    The sampled token is the likeliest, with a probability between 0.5 and 1; the others
    share the rest, each taking half of what is left.
    """
    return tuple(_entry(token, top, mix(seed, index)) for index, token in enumerate(tokens))


def with_logprobs(
    generated: GeneratedText, top: int, tokenizer: Tokenizer, seed: int
) -> GeneratedText:
    """The text with the log probabilities of its tokens."""
    entries = logprobs(tokenizer.encode(generated.text), top, seed)
    return structs.replace(generated, logprobs=entries)


def entries(completion: Completion) -> list[TokenLogprobs]:
    """All log probabilities of a completion."""
    found: list[TokenLogprobs] = []
    for choice in completion.choices:
        for segment in choice.segments:
            found += segment.generated.logprobs
    return found


def _entry(token: bytes, top: int, seed: int) -> TokenLogprobs:
    share = 0.5 + 0.4999 * fraction(seed, 1)
    sampled = Logprob(token, math.log(share))
    alternatives = [sampled][:top]
    left = 1.0 - share
    start = mix(seed, 2)
    skip = 0
    while len(alternatives) < top:
        other = _OTHERS[(start + skip) % len(_OTHERS)]
        skip += 1
        if other == token:
            continue
        left /= 2
        alternatives.append(Logprob(other, math.log(left)))
    return TokenLogprobs(sampled, tuple(alternatives))
