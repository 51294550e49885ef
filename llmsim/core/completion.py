"""The completion of a request, before a codec encodes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import Struct

from llmsim.core.request import Canvas, Tool

if TYPE_CHECKING:  # the command line has no need of numpy
    import numpy as np
    from numpy.typing import NDArray


class Logprob(Struct, frozen=True, gc=False):
    """One token's log probability (≤ 0). Its bytes may end inside a character."""

    token: bytes
    logprob: float


class TokenLogprobs(Struct, frozen=True, gc=False):
    """The sampled token and the likeliest ones in its place, most likely first."""

    sampled: Logprob
    top: tuple[Logprob, ...] = ()


class TextView(Protocol):
    """A text that is put together when it is asked for."""

    @property
    def characters(self) -> int:
        """How long it is."""
        ...

    def __str__(self) -> str:
        """The text itself."""
        ...


class GeneratedText(Struct, frozen=True, gc=False):
    """Something the model writes: an answer, its reasoning, a refusal or a call's arguments.

    ``tokens`` is its exact token count. ``pieces`` are what a stream sends, whole characters
    only; joined they give ``text``. ``ends[i]`` is the index of the last token of piece i.
    Without a stream there are no pieces. ``logprobs``, if asked for, has one entry a token.
    ``source`` is the text, or a view of it where it is long and only streamed.
    """

    source: str | TextView
    tokens: int
    pieces: Sequence[str] = ()
    ends: Sequence[int] = ()
    logprobs: tuple[TokenLogprobs, ...] = ()

    @property
    def text(self) -> str:
        """The whole text: of a view, made anew each time."""
        return str(self.source)

    @property
    def characters(self) -> int:
        """How long the text is."""
        source = self.source
        return len(source) if isinstance(source, str) else source.characters


class Source(Struct, frozen=True, gc=False):
    """What a search found: a page on the web, or a file, which has an id in place of a URL.

    ``score`` is how well it fits, 0 to 1. ``location`` is where in the prompt it is, as its
    provider says it, for a document that came with the request.
    """

    title: str
    text: str
    url: str = ""
    file: str = ""
    score: float = 1.0
    location: Mapping[str, Any] | None = None


class Citation(Struct, frozen=True, gc=False):
    """A stretch of a text, from character ``start`` to ``end`` (exclusive), and the place among
    the sources of what it rests on."""

    start: int
    end: int
    place: int
    source: Source


class TextSegment(Struct, frozen=True, gc=False):
    """Part of the answer's text."""

    generated: GeneratedText
    citations: tuple[Citation, ...] = ()


class ReasoningSegment(Struct, frozen=True, gc=False):
    """Reasoning the client gets to see."""

    generated: GeneratedText


class RefusalSegment(Struct, frozen=True, gc=False):
    """A refusal in place of an answer."""

    generated: GeneratedText


class ToolCallSegment(Struct, frozen=True, gc=False):
    """A tool call; ``generated`` are its arguments, streamed in fragments. ``form`` is that of the
    tool."""

    name: str
    generated: GeneratedText
    custom: bool = False
    form: str = ""


class HostedCallSegment(Struct, frozen=True, gc=False):
    """A call of a tool that the provider runs itself, and what came of it.

    ``subject`` is what it is called for (a query, a URL, code, arguments as JSON), ``generated``
    how the model writes that. A search or a fetch finds ``sources``, code and MCP give ``output``,
    which is ``result_tokens`` long, and painting gives a picture's ``versions``, the last of them
    done.
    """

    tool: Tool
    subject: str
    generated: GeneratedText
    sources: tuple[Source, ...] = ()
    output: str = ""
    versions: tuple[bytes, ...] = ()
    result_tokens: int = 0


Segment: TypeAlias = (
    TextSegment | ReasoningSegment | RefusalSegment | ToolCallSegment | HostedCallSegment
)


class Finish(Enum):
    """Why a choice ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOLS = "tools"
    FILTER = "filter"

    __hash__ = object.__hash__  # Enum's own is Python, and every answer looks one up


class Choice(Struct, frozen=True, gc=False):
    """One of the alternative answers: its segments in order, and why it ended.

    ``tokens`` are those on this choice's clock: all that is shown, in the order of the
    segments. ``stop`` is the stop sequence that ended it, if one did. ``prompt`` is what a
    completion goes on from, if that is wanted; it is not the model's and not on the clock.
    ``hidden`` is how many tokens of reasoning precede it that are not shown. ``reason`` is the
    word it was asked to end with, which one provider may have; ``block`` is why there is no answer
    to the prompt at all, where a provider says so.
    """

    segments: tuple[Segment, ...]
    tokens: int
    finish: Finish
    stop: str | None = None
    prompt: GeneratedText | None = None
    hidden: int = 0
    reason: str | None = None
    block: str | None = None

    @property
    def beats(self) -> int:
        """How many beats this choice's clock has: its tokens, and one even if it has none."""
        return max(1, self.tokens)

    @property
    def starved(self) -> bool:
        """Whether reasoning took every token there was: the last segment is then an empty text."""
        last = self.segments[-1]
        return (
            self.finish is Finish.LENGTH
            and not last.generated.tokens
            and isinstance(last, TextSegment)
            and (self.hidden > 0 or len(self.segments) > 1)
        )


class Usage(Struct, frozen=True, gc=False):
    """Token counts of one request.

    ``prompt`` includes ``cached`` and ``cache_written``; ``completion`` is over all choices and
    includes ``reasoning``. ``cache_written_hour`` is what of ``cache_written`` is kept for an
    hour.
    """

    prompt: int
    completion: int
    reasoning: int = 0
    cached: int = 0
    cache_written: int = 0
    cache_written_hour: int = 0

    @property
    def total(self) -> int:
        return self.prompt + self.completion


def tokens_sent(completion: int, reasoning: int, shown: int, reached: int) -> tuple[int, int]:
    """Completion and reasoning tokens of an answer of which only the first ``reached`` of the
    ``shown`` tokens were sent. What is not shown was there before the first of them."""
    if not reached:
        return 0, 0
    sent = min(completion, max(completion - shown, 0) + min(reached, shown))
    return sent, min(reasoning, sent)


class Embeddings(Struct, frozen=True, gc=False):
    """A vector of unit length for each message, all of one shape."""

    vectors: tuple[NDArray[np.float32], ...]


class Verdict(Struct, frozen=True, gc=False):
    """How likely a message is to be of each category, 0 to 1, and of which it is held to be."""

    scores: Mapping[str, float]
    flagged: frozenset[str]


class Verdicts(Struct, frozen=True, gc=False):
    """One for each message."""

    verdicts: tuple[Verdict, ...]


class Picture(Struct, frozen=True, gc=False):
    """A picture, and its unfinished versions before it; no bytes where it is only linked to."""

    canvas: Canvas
    versions: tuple[bytes, ...]


class Pictures(Struct, frozen=True, gc=False):
    """As many as there are choices. ``seen`` counts the prompt tokens of pictures sent along."""

    pictures: tuple[Picture, ...]
    seen: int = 0


class TokenCount(Struct, frozen=True, gc=False):
    """How many tokens the prompt is. It was not put to the model, so no usage comes of it."""

    prompt: int


TaskResult: TypeAlias = Embeddings | Verdicts | Pictures | TokenCount


class Completion(Struct, frozen=True, gc=False):
    """All choices of one request, and what they cost.

    ``made`` is the result of a task other than generating text; the choices are then empty and are
    only its clocks. Without any choice all is answered at once.
    """

    choices: tuple[Choice, ...]
    usage: Usage
    made: TaskResult | None = None
