"""The neutral words every part of llmsim speaks: what was asked, what is said, when it is due.

A dialect turns bytes into an :class:`Ask`; the engine turns an Ask into a :class:`Reply` and,
with the dialect's frames, into a :class:`Plan`; the player sends the plan. Nothing in here
knows a wire format, a clock or a socket.

The words are ``msgspec.Struct`` because they are made on the hot path: building one costs a
tenth of a frozen dataclass. None of them can be part of a reference cycle, so the garbage
collector need not look at them (``gc=False``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from llmsim.errors import Failure

Seconds: TypeAlias = NDArray[np.float64]
Beats: TypeAlias = NDArray[np.int64]
Headers: TypeAlias = list[tuple[str, str]]
Schema: TypeAlias = Mapping[str, Any] | bool
Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


# --- what was asked -----------------------------------------------------------------------


class Image(Struct, frozen=True, gc=False):
    """A picture in a prompt. ``width`` and ``height`` in pixels, 0 where unknown.

    ``rule`` says how the provider counts its tokens: by tiles (OpenAI) or by area (Anthropic).
    """

    detail: str = "auto"
    width: int = 0
    height: int = 0
    rule: Literal["tiles", "area"] = "tiles"


class Call(Struct, frozen=True, gc=False):
    """A tool call the assistant made. ``arguments`` is JSON text (free text if ``custom``)."""

    id: str
    name: str
    arguments: str
    custom: bool = False


class Message(Struct, frozen=True, gc=False):
    """One message of the conversation.

    ``text`` is all its text parts, joined. ``calls`` are the tool calls of an assistant's
    message; ``answers`` is the id of the call that a tool's message answers. ``extra`` counts
    prompt tokens of parts that are neither text nor image (audio, files). ``mark`` tells the
    content of such parts and of images from any other; 0 where there are none. ``tokens`` is
    the text as ids of the model's encoding, for one that came so; ``text`` is then empty.
    """

    role: Role
    text: str = ""
    name: str | None = None
    images: tuple[Image, ...] = ()
    calls: tuple[Call, ...] = ()
    answers: str | None = None
    extra: int = 0
    mark: int = 0
    tokens: tuple[int, ...] = ()


class Tool(Struct, frozen=True, gc=False):
    """A tool on offer. ``schema`` is the JSON Schema of its arguments; None takes anything."""

    name: str
    description: str = ""
    schema: Schema | None = None
    custom: bool = False


class ToolChoice(Struct, frozen=True, gc=False):
    """Which tools may or must be called. An empty ``names`` means any of those on offer."""

    mode: Literal["auto", "none", "required"] = "auto"
    names: tuple[str, ...] = ()
    parallel: bool = True


class Format(Struct, frozen=True, gc=False):
    """The form the answer's text must have: JSON of any shape (no schema) or valid against one.

    ``bare`` wants a string without its quotes: one of an enumeration's words, say.
    """

    schema: Schema | None = None
    bare: bool = False


class Thinking(Struct, frozen=True, gc=False):
    """How a reasoning model is to think.

    ``effort`` None leaves it to the model. ``budget`` bounds the thinking tokens; ``visible`` says
    that the thoughts are shown, and so are paced like any other token instead of hiding in the
    time to first token. ``wanted`` says that the client told the model to think: then one does
    that would not by itself, or is not known to reason at all.
    """

    effort: Effort | None = None
    budget: int | None = None
    visible: bool = False
    wanted: bool = False


class Breakpoint(Struct, frozen=True, gc=False):
    """Where a client wants the prompt before it to be cached.

    ``message`` counts from 0, −1 stands for the end of the tools, which come before all messages.
    ``end`` is how much of the message's text belongs to it, in characters; None is all of the
    message. ``ttl`` is in seconds.
    """

    message: int
    end: int | None = None
    ttl: int = 300


class Complete(Struct, frozen=True, gc=False):
    """To write on where each message ends: ``Ask.n`` choices a message.

    ``prompted`` wants the message along with what follows it. ``best_of`` choices are tried
    for each message, at least ``Ask.n``. ``suffix`` is what comes after the gap to be filled.
    """

    prompted: bool = False
    best_of: int = 1
    suffix: str = ""


class Embed(Struct, frozen=True, gc=False):
    """A vector for each message. ``dimensions`` None is as wide as the model makes them;
    ``most`` bounds the tokens of all messages together."""

    dimensions: int | None = None
    most: int | None = None


class Moderate(Struct, frozen=True, gc=False):
    """A verdict on each message."""


class Canvas(Struct, frozen=True, gc=False):
    """All that decides what a picture looks like. ``width`` and ``height`` in pixels;
    ``compression`` is the quality of lossy formats, 0 to 100."""

    seed: int
    width: int
    height: int
    form: Literal["png", "jpeg", "webp"] = "png"
    transparent: bool = False
    compression: int = 100


class Paint(Struct, frozen=True, gc=False):
    """``Ask.n`` pictures of what the message describes, each on such a canvas with a seed of its
    own.

    ``partial`` unfinished versions of each are wanted before it is done. ``linked`` says that
    the client gets a link, and the picture's bytes only when it follows that.
    """

    canvas: Canvas
    quality: Literal["low", "medium", "high", "xhigh", "max"] = "medium"
    partial: int = 0
    linked: bool = False


class Count(Struct, frozen=True, gc=False):
    """To say how many tokens the prompt is, as a chat's, and nothing else."""


Task: TypeAlias = Complete | Embed | Moderate | Paint | Count

AUTO = ToolChoice()


class Ask(Struct, frozen=True, gc=False):
    """A request for an answer, in no provider's words.

    ``max_tokens`` bounds the completion, reasoning included. ``thinking`` is None where the
    client said nothing about it: the model then decides. ``wire`` is the dialect's own decoded
    request, which it needs to spell the answer and nobody else looks at. ``breakpoints`` is None
    with providers that cache prompts of their own accord.

    ``task`` None is a chat. With any other but Count the messages are texts that stand by
    themselves, and are counted so.
    """

    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    seed: int | None = None
    logprobs: int | None = None
    thinking: Thinking | None = None
    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = AUTO
    format: Format | None = None
    store: bool = False
    wire: Any = None
    breakpoints: tuple[Breakpoint, ...] | None = None
    task: Task | None = None


# --- what is said ---------------------------------------------------------------------------


class Logprob(Struct, frozen=True, gc=False):
    """One token's log probability (≤ 0). Its bytes may end inside a character."""

    token: bytes
    logprob: float


class TokenLogprobs(Struct, frozen=True, gc=False):
    """The token that was said and the likeliest ones in its place, most likely first."""

    said: Logprob
    top: tuple[Logprob, ...] = ()


class Text(Struct, frozen=True, gc=False):
    """Something the model writes: an answer, a thought or a refusal.

    ``tokens`` is its exact token count. ``pieces`` are what a stream sends, whole characters
    only; joined they give ``text``. ``ends[i]`` is the index of the last token of piece i.
    Pieces are left empty where nobody asked for a stream. ``logprobs``, if asked for, has one
    entry a token.
    """

    text: str
    tokens: int
    pieces: Sequence[str] = ()
    ends: Sequence[int] = ()
    logprobs: tuple[TokenLogprobs, ...] = ()


class Said(Struct, frozen=True, gc=False):
    """Part of the answer's text."""

    words: Text


class Thought(Struct, frozen=True, gc=False):
    """Reasoning the client gets to see."""

    words: Text


class Refused(Struct, frozen=True, gc=False):
    """A refusal in place of an answer."""

    words: Text


class Called(Struct, frozen=True, gc=False):
    """A tool call; ``words`` are its arguments, streamed in fragments."""

    name: str
    words: Text
    custom: bool = False


Segment: TypeAlias = Said | Thought | Refused | Called


class Finish(Enum):
    """Why a choice ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOLS = "tools"
    FILTER = "filter"


class Choice(Struct, frozen=True, gc=False):
    """One of the alternative answers: its segments in order, and why it ended.

    ``tokens`` are those on this choice's clock: all that is shown, in the order of the
    segments. ``stop`` is the stop sequence that ended it, if one did. ``prompt`` is what a
    completion goes on from, if that is wanted; it is not the model's and not on the clock.
    """

    segments: tuple[Segment, ...]
    tokens: int
    finish: Finish
    stop: str | None = None
    prompt: Text | None = None

    @property
    def beats(self) -> int:
        """How many beats this choice's clock has: its tokens, and one even if it has none."""
        return max(1, self.tokens)


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


class Counted(Struct, frozen=True, gc=False):
    """How many tokens the prompt is. It was not put to the model, so no usage comes of it."""

    prompt: int


Made: TypeAlias = Embeddings | Verdicts | Pictures | Counted


class Reply(Struct, frozen=True, gc=False):
    """All that is said in answer to one Ask, before a dialect spells it.

    ``made`` is what is given in place of words; the choices then say nothing and are only its
    clocks. Without any choice all is said at once.
    """

    choices: tuple[Choice, ...]
    usage: Usage
    made: Made | None = None


# --- when it is due -------------------------------------------------------------------------


class Stamp(Struct, frozen=True, gc=False):
    """What sets this answer apart from any other: never derived from the seed.

    ``mark`` is 26 lower-case hex digits from which the dialect makes its ids; ``created`` is
    Unix time in seconds.
    """

    mark: str
    created: int


class Frames(Protocol):
    """The bytes of an answer, frame by frame, rendered no earlier than needed."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> bytes: ...

    def join(self, start: int, stop: int) -> bytes:
        """Frames ``start`` to ``stop`` (exclusive) as one chunk."""
        ...

    def reorder(self, order: Beats) -> Frames:
        """The same frames in another order; ``order[i]`` is the old index of the new frame i."""
        ...


END = -1
"""The beat of a frame that waits until everything has been said."""

START = -2
"""The beat of a frame that waits for nothing."""

FIRST = -3
"""The beat of a frame that waits for the first token of any choice."""


class Script(Struct, frozen=True, gc=False):
    """A streamed reply as its dialect spells it.

    ``beats[i]`` says which token must exist before frame i may leave: an index into the tokens
    of all choices, one choice after another, or :data:`FIRST`, :data:`START` or :data:`END`.
    """

    frames: Frames
    beats: Beats


class Plan(Struct, frozen=True, gc=False):
    """Frames and the times at which they are due.

    ``due`` is in seconds after arrival, shape ``(len(frames),)``, non-decreasing. A plain
    answer, and a failure, is a plan of one frame. ``ttft`` and ``total`` are when the first and
    the last token exist; ``reply`` is None for a failure.
    """

    status: int
    frames: Frames
    due: Seconds
    stream: bool
    ttft: float
    total: float
    seed: int
    reply: Reply | None = None
    failure: Failure | None = None


class Dialect(Protocol):
    """One API's wire format: translates, decides nothing."""

    name: str

    def decode(self, body: bytes) -> Ask:
        """The request in neutral words. Raises BadRequest."""
        ...

    def plain(self, ask: Ask, reply: Reply, stamp: Stamp) -> bytes:
        """The whole answer as one body."""
        ...

    def script(self, ask: Ask, reply: Reply, stamp: Stamp) -> Script:
        """The answer as a stream."""
        ...

    def headers(self, plan: Plan, stamp: Stamp) -> Headers:
        """The response head, content type included."""
        ...

    def failure(self, failure: Failure, stamp: Stamp) -> tuple[int, bytes]:
        """A failure before the first byte: status and body."""
        ...
