"""Text generators behind one protocol, exact to the token."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Protocol, overload

import orjson

from llmsim.core import GeneratedText, Request
from llmsim.core.generator import GeneratorChoice
from llmsim.core.value import Value
from llmsim.engine import effort
from llmsim.engine.seeds import fraction, mix
from llmsim.engine.tokens.tokenizer import Tokenizer

POOL_TOKENS = 1 << 14
EMPTY = GeneratedText("", 0)
_MARKS = frozenset(".,")


class Brief(Value, frozen=True, gc=False):
    """What a generator is asked for: the text of one answer.

    ``target`` is the wanted number of tokens; generators that repeat a text ignore it.
    ``limit`` is the most there may be. ``turn`` is the request's place in the order all workers
    agree on. ``pieces`` says whether the answer is streamed. Who is not ``patient`` does not wait
    for long texts.
    """

    request: Request
    seed: int
    turn: int
    target: int
    limit: int
    tokenizer: Tokenizer
    pieces: bool
    patient: bool = True


class TextGenerator(Protocol):
    """Makes the text of an answer."""

    def generate(self, brief: Brief) -> tuple[GeneratedText, bool]:
        """At most ``brief.limit`` tokens of text, and whether that is all there was to say."""
        ...


class Pool:
    """Sentences of words that are one token each, in every encoding llmsim knows.

    Because each word is one token both with and without a leading space, and punctuation never
    merges with a word, any run of the pool that begins at a sentence re-encodes to exactly the
    tokens it was cut from: its length is known without counting. After its last sentence comes
    the first one again.
    """

    def __init__(
        self, words: Sequence[str], starts: Sequence[str], tokens: int = POOL_TOKENS
    ) -> None:
        once, self._sentences = _sentences(words, starts, tokens)
        # Twice over, so that only an answer longer than the pool itself has to be put together.
        self._pieces = once * 2
        self._once = len(once)
        self._text = "".join(self._pieces)
        self._offsets = [0, *accumulate(map(len, self._pieces))]

    def generate(self, brief: Brief) -> tuple[GeneratedText, bool]:
        whole = brief.target <= brief.limit
        tokens = brief.target if whole else brief.limit
        if tokens <= 0:
            return EMPTY, whole
        start = self._sentences[brief.seed % len(self._sentences)]
        closed = whole and tokens > 1 and self.closes(start + tokens)
        if not brief.pieces:
            return GeneratedText(self.text(start, start + tokens, closed), tokens), whole
        run = PoolRun(self, start, tokens, closed)
        return GeneratedText(run, tokens, run, range(tokens)), whole

    def passage(self, seed: int, tokens: int) -> str:
        """So many tokens of text, from a sentence's beginning, with a full stop at the end."""
        start = self._sentences[seed % len(self._sentences)]
        return str(PoolRun(self, start, tokens, tokens > 1))

    def pieces(self, start: int, stop: int) -> list[str]:
        """Those from ``start`` to ``stop`` (exclusive)."""
        start, count = start % self._once, stop - start
        if start + count <= len(self._pieces):
            return self._pieces[start : start + count]
        return (self._pieces * ((start + count) // len(self._pieces) + 1))[start : start + count]

    def characters(self, stop: int) -> int:
        """How long the first ``stop`` pieces are."""
        rounds, rest = divmod(stop, self._once)
        return rounds * self._offsets[self._once] + self._offsets[rest]

    def text(self, start: int, stop: int, closed: bool = False) -> str:
        """What the pieces from ``start`` to ``stop`` say, without the space before the first;
        ``closed`` has a full stop in place of the last."""
        if closed:
            stop -= 1
        if stop <= len(self._pieces):
            said = self._text[self._offsets[start] + 1 : self._offsets[stop]]
        else:
            said = "".join(self.pieces(start, stop))[1:]
        return said + "." if closed else said

    def closes(self, stop: int) -> bool:
        """Whether a full stop in place of the last piece before ``stop`` would end a text."""
        before, last = self._pieces[(stop - 2) % self._once], self._pieces[(stop - 1) % self._once]
        return last != "." and before not in _MARKS


class PoolRun(Sequence[str]):
    """A text of ``tokens`` pieces of a pool, from piece ``start`` on, as a view: its pieces and
    itself are put together when they are asked for. Where it is ``closed``, a full stop in place
    of the last piece ends it."""

    __slots__ = ("_closed", "_pool", "_start", "_stop")

    def __init__(self, pool: Pool, start: int, tokens: int, closed: bool) -> None:
        self._pool = pool
        self._start = start
        self._stop = start + tokens
        self._closed = closed

    def __len__(self) -> int:
        return self._stop - self._start

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PoolRun) and self._place() == other._place()

    def __hash__(self) -> int:
        return hash(self._place())

    def _place(self) -> tuple[int, int, int, bool]:
        """What tells two texts of pools apart."""
        return id(self._pool), self._start, self._stop, self._closed

    @overload
    def __getitem__(self, index: int, /) -> str: ...

    @overload
    def __getitem__(self, index: slice, /) -> list[str]: ...

    def __getitem__(self, index: int | slice, /) -> str | list[str]:
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return self._stretch(start, max(start, stop))
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        start = index % len(self)
        return self._stretch(start, start + 1)[0]

    def __str__(self) -> str:
        return self._pool.text(self._start, self._stop, self._closed)

    @property
    def characters(self) -> int:
        """How long the text is."""
        pool, closed = self._pool, self._closed
        stop = pool.characters(self._stop - closed) + closed
        return stop - pool.characters(self._start) - 1

    def _stretch(self, start: int, stop: int) -> list[str]:
        pieces = self._pool.pieces(self._start + start, self._start + stop)
        if start == 0 < stop:
            pieces[0] = pieces[0][1:]
        if self._closed and start < stop == len(self):
            pieces[-1] = "."
        return pieces


def _sentences(
    words: Sequence[str], starts: Sequence[str], tokens: int
) -> tuple[list[str], list[int]]:
    """Pieces of about ``tokens`` tokens, and where each sentence begins."""
    pieces: list[str] = []
    sentences: list[int] = []
    previous = ""
    while len(pieces) < tokens:
        sentence = mix(len(pieces), 4)
        sentences.append(len(pieces))
        pieces.append(" " + starts[sentence % len(starts)])
        for index in range(4 + mix(sentence, 5) % 10):
            word = words[mix(sentence, 6 + index) % len(words)]
            if word == previous:
                continue
            pieces.append(" " + word)
            previous = word
            if fraction(sentence, 100 + index) < 0.12:
                pieces.append(",")
        if pieces[-1] == ",":
            pieces.pop()
        pieces.append(".")
    return pieces, sentences


class Echo:
    """Repeats the last user message."""

    def generate(self, brief: Brief) -> tuple[GeneratedText, bool]:
        for message in reversed(brief.request.messages):
            if message.role == "user":
                return recited(message.text, brief)
        return EMPTY, True


class Series:
    """Its texts in turn, from the first again after the last."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(texts)

    def generate(self, brief: Brief) -> tuple[GeneratedText, bool]:
        return recited(self._texts[brief.turn % len(self._texts)], brief)


@cache
def pool(name: str) -> Pool:
    """The pool of that name in ``data/words.json``: "lorem" or "random"."""
    words = orjson.loads(files("llmsim.data").joinpath("words.json").read_bytes())
    inner = words.get(f"{name}_inner", [])
    return Pool(words[name] + inner, words[f"{name}_starts"])


def text_generator(config: GeneratorChoice) -> TextGenerator:
    """The text generator that is configured."""
    match config.kind:
        case "lorem" | "random":
            return pool(config.kind)
        case "echo":
            return Echo()
        case "fixed" | "sequence":
            return Series(config.texts)


def recited(text: str, brief: Brief) -> tuple[GeneratedText, bool]:
    """The text within the brief's limit, and whether that is all of it. Raises TakesLong for a
    long one, if the brief is not patient."""
    if not brief.patient and len(text) > effort.RECITED:
        raise effort.TakesLong
    whole = brief.tokenizer.text(text, pieces=brief.pieces)
    if whole.tokens <= brief.limit:
        return whole, True
    cut = brief.tokenizer.cut(text, brief.limit)
    return brief.tokenizer.text(cut, pieces=brief.pieces), False


def before_stop(text: str, stops: Sequence[str]) -> tuple[str, str] | None:
    """The text before the stop sequence that occurs first, and that sequence; None if none does."""
    found = [(at, stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not found:
        return None
    at, stop = min(found, key=lambda hit: hit[0])
    return text[:at], stop
