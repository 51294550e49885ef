"""A request, decoded: the same whichever provider's format it came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

Schema: TypeAlias = Mapping[str, Any] | bool
Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Image(Struct, frozen=True, gc=False):
    """A picture in a prompt. ``width`` and ``height`` in pixels, 0 where unknown.

    ``rule`` says how the provider counts its tokens: by tiles (OpenAI) or by area (Anthropic).
    """

    detail: str = "auto"
    width: int = 0
    height: int = 0
    rule: Literal["tiles", "area"] = "tiles"


class ToolCall(Struct, frozen=True, gc=False):
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
    calls: tuple[ToolCall, ...] = ()
    answers: str | None = None
    extra: int = 0
    mark: int = 0
    tokens: tuple[int, ...] = ()


Hosted: TypeAlias = Literal["web_search", "web_fetch", "file_search", "code", "image", "mcp"]
"""What a tool does that the provider runs itself."""


class Tool(Struct, frozen=True, gc=False):
    """A tool on offer. ``schema`` is the JSON Schema of its arguments; None takes anything.

    ``hosted`` is for a tool that the provider runs itself: the answer then has its result, too.
    ``paint`` says what pictures it makes. ``form`` names the shape that a call has where the
    provider defines the tool and the client runs it.
    """

    name: str
    description: str = ""
    schema: Schema | None = None
    custom: bool = False
    hosted: Hosted | None = None
    form: str = ""
    paint: Paint | None = None


class ToolChoice(Struct, frozen=True, gc=False):
    """Which tools may or must be called. An empty ``names`` means any of those on offer."""

    mode: Literal["auto", "none", "required"] = "auto"
    names: tuple[str, ...] = ()
    parallel: bool = True


class Format(Struct, frozen=True, gc=False):
    """The form the answer's text must have: JSON of any shape (no schema) or valid against one.

    ``bare`` wants a string without its quotes: one of an enumeration's values, say. ``param`` is
    the field that asks for it. ``counted`` says that the schema is part of the prompt.
    """

    schema: Schema | None = None
    bare: bool = False
    param: str = "response_format"
    counted: bool = True


class Thinking(Struct, frozen=True, gc=False):
    """How a reasoning model is to think.

    ``effort`` None leaves it to the model. ``budget`` bounds the thinking tokens; ``visible`` says
    that the thoughts are shown, and so are paced like any other token instead of hiding in the
    time to first token. ``wanted`` says that the client asked the model to think: then one does
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
    """To write on where each message ends: ``Request.n`` choices a message.

    ``prompted`` wants the message along with what follows it. ``best_of`` choices are tried
    for each message, at least ``Request.n``. ``suffix`` is what comes after the gap to be filled.
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
    """``Request.n`` pictures of what the message describes, each on such a canvas with a seed of
    its own.

    ``partial`` unfinished versions of each are wanted before it is done. ``linked`` says that
    the client gets a link, and the picture's bytes only when it follows that.
    """

    canvas: Canvas
    quality: Literal["low", "medium", "high", "xhigh", "max"] = "medium"
    partial: int = 0
    linked: bool = False


class Count(Struct, frozen=True, gc=False):
    """To count the prompt's tokens, as a chat's, and nothing else."""


Task: TypeAlias = Complete | Embed | Moderate | Paint | Count


class MediaSizes(Struct, frozen=True, gc=False):
    """What a request has, and its answer is to have, beside text and such pictures as are counted
    by their size.

    ``prompt`` tokens are of sound. Of each choice ``tokens`` are for it and not for its text;
    ``size`` bytes of a choice are its, and ``token_size`` more for each token of its text.
    """

    prompt: int = 0
    tokens: int = 0
    size: int = 0
    token_size: int = 0


AUTO = ToolChoice()


class Request(Struct, frozen=True, gc=False):
    """A request, whichever provider is simulated.

    ``max_tokens`` bounds the completion, reasoning included. ``thinking`` is None where the
    client has no field for it: the model then decides. ``wire`` is the codec's own decoded
    request, which it needs to encode the answer and nobody else looks at. ``breakpoints`` is None
    with providers that cache prompts of their own accord.

    ``polled`` says that the client comes back for the answer, which is sent to nobody.

    ``media`` is what the codec puts into the answer beside its text, such as sound.

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
    polled: bool = False
    media: MediaSizes | None = None
