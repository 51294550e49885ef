"""Log probabilities for text nobody's model said: plausible, ordered, decided by the seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmsim.core import GeneratedText, Logprob, TokenLogprobs
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

    The token that was said is the likeliest, with a probability between 0.5 and 1; the others
    share the rest, each taking half of what is left.
    """
    return tuple(_entry(token, top, mix(seed, place)) for place, token in enumerate(tokens))


def with_logprobs(words: GeneratedText, top: int, tokenizer: Tokenizer, seed: int) -> GeneratedText:
    """The words with theirs."""
    entries = logprobs(tokenizer.encode(words.text), top, seed)
    return GeneratedText(words.text, words.tokens, words.pieces, words.ends, entries)


def _entry(token: bytes, top: int, seed: int) -> TokenLogprobs:
    share = 0.5 + 0.4999 * fraction(seed, 1)
    said = Logprob(token, math.log(share))
    alternatives = [said][:top]
    left = 1.0 - share
    start = mix(seed, 2)
    place = 0
    while len(alternatives) < top:
        other = _OTHERS[(start + place) % len(_OTHERS)]
        place += 1
        if other == token:
            continue
        left /= 2
        alternatives.append(Logprob(other, math.log(left)))
    return TokenLogprobs(said, tuple(alternatives))
