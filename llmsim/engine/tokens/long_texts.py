"""Long texts, tokenised in parts: the tokens are those of the whole.

tiktoken cuts a text into pieces by a pattern, and merges the bytes of each piece into tokens. It
panics at a piece of a million characters of white space, and takes seconds for one of a million
letters. So a long text is cut where no piece goes on: after a letter or digit and before white
space or a sign. Where there is no such place for long, the pieces are found here, and those that
are long are merged in parts.

Parts of one piece may be joined where the two tokens at the seam stay two when they are merged by
themselves: there is one sequence of tokens of which that is true everywhere, and it is the one that
merging the whole piece gives (GitHub's ``bpe`` crate rests on the same).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Final

import regex
import tiktoken

from llmsim.engine.tokens import ranks

PART: Final = 16_384
"""Characters that tiktoken gets at a time, if there is a place to cut soon after them."""
REACH: Final = 65_536
"""Characters in which such a place has to be found."""
MERGED: Final = 1024
"""Bytes of a piece that are merged at a time."""
SEAMS: Final = 64
"""Tokens at the end of a part that are tried as the last before a seam."""

# In no encoding does a piece go on with white space, nor after a letter or digit with one of these
# signs. An apostrophe is not among them ("don't"), and signs may be one piece with each other.
_SIGNS: Final = r" \t\r\n!-&(-/:-@\[-`{-~、。\uff0c\uff1a\uff1b\uff01\uff1f\uff08\uff09「」"
_CUT: Final = re.compile(rf"[{_SIGNS}](?s:(?<=\S[ \t])|(?<=[^\W_].))")
_SEARCHED: Final = 8192  # characters at a time: Python's own patterns hold the interpreter

# Characters of the pieces whose tokens are remembered, and how many these are.
_SHORT: Final = 16
_KNOWN: Final = 1 << 14


def parts(text: str) -> Iterator[str]:
    """The text in parts whose tokens, joined, are its own."""
    start = 0
    while len(text) - start > REACH:
        cut = _place_to_cut(text, start + PART)
        yield text[start:cut]
        start = cut
    yield text[start:]


def _place_to_cut(text: str, start: int) -> int:
    """The first place from ``start`` on at which the text can be cut; its end if there is none."""
    for place in range(start, len(text), _SEARCHED):
        found = _CUT.search(text, place, place + _SEARCHED)
        if found is not None:
            return found.start()
    return len(text)


class LongTexts:
    """Tokenises texts of any length in one encoding."""

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        self._encoding = encoding
        self._merge = encoding._encode_single_piece
        self._bytes = encoding.decode_single_token_bytes
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """The text's tokens."""
        tokens: list[int] = []
        for part in parts(text):
            if len(part) <= REACH:
                tokens += self._encoding.encode_ordinary(part)
            else:
                tokens += self._by_pieces(part)
        return tokens

    @cached_property
    def _piece(self) -> regex.Pattern[str]:
        return regex.compile(ranks.pattern(self._encoding.name))

    def _by_pieces(self, text: str) -> list[int]:
        tokens: list[int] = []
        for found in self._piece.finditer(text, concurrent=True):
            piece = found[0]
            made = self._known.get(piece)
            if made is None:
                made = self._merged(piece.encode(errors="replace"))
                if len(piece) <= _SHORT and len(self._known) < _KNOWN:
                    self._known[piece] = made
            tokens += made
        return tokens

    def _merged(self, piece: bytes) -> list[int]:
        """The tokens of one piece."""
        tokens: list[int] = []
        merge = lru_cache(maxsize=8)(self._merge)  # parts may repeat each other
        start = 0
        while len(piece) - start > 2 * MERGED:
            made = merge(piece[start : start + MERGED])
            kept, width = len(made), MERGED
            for last in range(len(made) - 1, max(0, len(made) - SEAMS), -1):
                width -= len(self._bytes(made[last]))
                after = merge(piece[start + width : start + width + MERGED])[0]
                if self._apart(made[last - 1], after):
                    kept = last
                    break
            else:
                width = MERGED
            tokens += made[:kept]
            start += width
        return tokens + self._merge(piece[start:])

    def _apart(self, before: int, after: int) -> bool:
        """Whether these tokens stay two when they are merged by themselves."""
        return self._merge(self._bytes(before) + self._bytes(after)) == [before, after]
