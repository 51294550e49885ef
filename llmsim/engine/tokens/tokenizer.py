"""Counting and cutting text exactly as the provider's tokenizer does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from typing import Generic, TypeVar

import tiktoken

from llmsim.core import GeneratedText
from llmsim.engine.tokens import ranks
from llmsim.engine.tokens.long_texts import REACH, LongTexts

Counted = TypeVar("Counted")

CACHED_CHARACTERS = 16_000_000
LONGEST = 128
"""Bytes of the longest token: that many spaces."""


STEP = 128
"""Tokens from one place to the next at which a long text may be cut."""


class Counts(Generic[Counted]):
    """What was counted of texts, of the recently used ones, bounded by the characters they hold.

    Two generations: what is used moves to the young one; when that is full it becomes the old
    one and the former old one is forgotten. Every look-up costs one or two dict accesses.
    """

    __slots__ = ("_half", "_old", "_room", "young")

    def __init__(self, characters: int) -> None:
        self._half = characters // 2
        self._room = self._half
        self.young: dict[str, Counted] = {}
        self._old: dict[str, Counted] = {}

    def get(self, text: str) -> Counted | None:
        count = self.young.get(text)
        if count is None:
            count = self._old.get(text)
            if count is not None:
                self.put(text, count)
        return count

    def put(self, text: str, count: Counted) -> None:
        size = len(text) + 64
        if size > self._half:
            return
        self._room -= size
        if self._room < 0:
            self._old, self.young = self.young, {}
            self._room = self._half - size
        self.young[text] = count


class Tokenizer:
    """One encoding, with a bounded memory of counts."""

    def __init__(self, encoding: tiktoken.Encoding, characters: int = CACHED_CHARACTERS) -> None:
        self._encoding = encoding
        self._counts: Counts[int] = Counts(characters)
        self._steps: Counts[tuple[int, ...]] = Counts(characters)
        self._long = LongTexts(encoding)

    @property
    def name(self) -> str:
        return self._encoding.name

    def count(self, text: str) -> int:
        """How many tokens ``text`` is. Text that spells a special token counts as plain text."""
        count = self._counts.young.get(text)
        return self.counted(text) if count is None else count

    def counted(self, text: str) -> int:
        """The same for a text that was not counted lately."""
        count = self._counts.get(text)
        if count is None:
            ids = self.ids(text)
            count = len(ids)
            self._counts.put(text, count)
            if count >= 2 * STEP:
                self._steps.put(text, self._ends(ids))
        return count

    @property
    def known(self) -> Callable[[str], int | None]:
        """Gives the count of a text if it was counted lately, at the price of a look-up."""
        return self._counts.young.get

    def steps(self, text: str) -> tuple[int, ...]:
        """Where each :data:`STEP` tokens of a text end, in bytes; nothing for one that was not
        counted lately, or is not twice as long."""
        return self._steps.get(text) or ()

    def _ends(self, ids: list[int]) -> tuple[int, ...]:
        joined = self._encoding.decode_bytes
        stops = range(STEP, len(ids) + 1, STEP)
        return tuple(accumulate(len(joined(ids[stop - STEP : stop])) for stop in stops))

    def encode(self, text: str) -> list[bytes]:
        """The tokens of ``text``, as bytes; one may end inside a character."""
        single = self._encoding.decode_single_token_bytes
        return [single(token) for token in self.ids(text)]

    def ids(self, text: str) -> list[int]:
        """The token ids of ``text``."""
        if len(text) <= REACH:
            return self._encoding.encode_ordinary(text)
        return self._long.encode(text)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of these token ids. Raises ValueError for one the encoding does not have."""
        try:
            return self._encoding.decode_bytes(tokens).decode(errors="replace")
        except (KeyError, OverflowError):
            raise ValueError(f"{self.name} has no such token") from None

    def text(self, text: str, *, pieces: bool) -> GeneratedText:
        """``text`` with its exact token count and, if asked for, its pieces."""
        if not pieces:
            return GeneratedText(text, self.count(text))
        tokens = self.encode(text)
        parts, ends = whole_characters(tokens)
        return GeneratedText(text, len(tokens), parts, ends)

    def cut(self, text: str, limit: int) -> str:
        """The longest prefix this finds that is at most ``limit`` tokens and whole characters.

        A prefix of the tokens may be tokenised differently once it stands alone, so it is
        counted again and shortened until it fits. No more of the text is looked at than could be
        so many tokens.
        """
        head = text[: LONGEST * (limit + 1)]
        tokens = self.ids(head)
        if len(tokens) <= limit:
            return head
        for keep in range(limit, 0, -1):
            prefix = self._encoding.decode_bytes(tokens[:keep]).decode(errors="ignore")
            if self.count(prefix) <= limit:
                return prefix
        return ""


def whole_characters(tokens: Sequence[bytes]) -> tuple[list[str], list[int]]:
    """Pieces that hold whole UTF-8 characters only, and the index of each one's last token.

    The bytes of a character that is split over tokens are held back until it is complete.
    """
    pieces: list[str] = []
    ends: list[int] = []
    held = b""
    for index, token in enumerate(tokens):
        held += token
        try:
            pieces.append(held.decode())
        except UnicodeDecodeError:
            continue
        ends.append(index)
        held = b""
    if held:
        pieces.append(held.decode(errors="replace"))
        ends.append(len(tokens) - 1)
    return pieces, ends


@cache
def tokenizer(name: str) -> Tokenizer:
    """The tokenizer of that encoding, one a process."""
    return Tokenizer(ranks.encoding(name))
