"""Text generators behind one protocol, exact to the token."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate, count
from typing import Protocol

import orjson
from msgspec import Struct

from llmsim.core import GeneratedText, Request
from llmsim.core.generator import GeneratorChoice
from llmsim.engine import effort
from llmsim.engine.seeds import fraction, mix
from llmsim.engine.tokens.tokenizer import Tokenizer

POOL_TOKENS = 1 << 14
EMPTY = GeneratedText("", 0)
_MARKS = frozenset(".,")


class Brief(Struct, frozen=True, gc=False):
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
    tokens it was cut from: its length is known without counting.
    """

    def __init__(
        self, words: Sequence[str], starts: Sequence[str], tokens: int = POOL_TOKENS
    ) -> None:
        once, self._sentences = _sentences(words, starts, tokens)
        # Twice over, so that only an answer longer than the pool itself has to be put together.
        self._pieces = once * 2
        self._text = "".join(self._pieces)
        self._offsets = [0, *accumulate(map(len, self._pieces))]
        self._closed = [0, 0, *map(_closing, count(2), self._pieces, self._pieces[1:])]

    def generate(self, brief: Brief) -> tuple[GeneratedText, bool]:
        whole = brief.target <= brief.limit
        tokens = brief.target if whole else brief.limit
        if tokens <= 0:
            return EMPTY, whole
        start = self._sentences[brief.seed % len(self._sentences)]
        return self._run(start, start + tokens, whole and tokens > 1, brief.pieces), whole

    def _run(self, start: int, stop: int, close: bool, pieces: bool) -> GeneratedText:
        if stop > len(self._pieces):
            return self._wrapped(start, stop - start, close, pieces)
        closed = self._closed[stop] if close else stop
        text = self._text[self._offsets[start] + 1 : self._offsets[closed]]
        if closed != stop:
            text += "."
        if not pieces:
            return GeneratedText(text, stop - start)
        parts = self._pieces[start:stop]
        parts[0] = parts[0][1:]
        if closed != stop:
            parts[-1] = "."
        return GeneratedText(text, stop - start, parts, range(stop - start))

    def _wrapped(self, start: int, tokens: int, close: bool, pieces: bool) -> GeneratedText:
        rounds = (start + tokens) // len(self._pieces) + 1
        parts = (self._pieces * rounds)[start : start + tokens]
        parts[0] = parts[0][1:]
        if close and parts[-1] != "." and parts[-2] not in _MARKS:
            parts[-1] = "."
        text = "".join(parts)
        return (
            GeneratedText(text, tokens, parts, range(tokens))
            if pieces
            else GeneratedText(text, tokens)
        )


def _closing(stop: int, before: str, last: str) -> int:
    """Where to cut a text of ``stop`` pieces so that a full stop can end it."""
    return stop if last == "." or before in _MARKS else stop - 1


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
