"""How many tokens a prompt is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from llmsim.core import Complete, Count, Image, Message, Request, ToolCall
from llmsim.core.codec import dumps
from llmsim.core.errors import invalid
from llmsim.engine.tokens.tokenizer import Tokenizer

PRIMING = 3
PER_MESSAGE = 3
PER_NAME = 1
PER_CALL = 3
PER_TOOLS = 12
PER_TOOL = 8
UNBOUNDED = 1 << 62
MANY_MESSAGES = 1000
LOW_DETAIL = 85
UNKNOWN_SIZE = 765
PER_TILE = 170
PER_TOKEN = 750  # square pixels
LARGEST_AREA = 1600


Counting: TypeAlias = Callable[[str], int]
"""Counts the tokens of a text."""


class Lengthy(Exception):  # noqa: N818  # an answer to a question, not a fault
    """Counting this prompt would tokenise more than was allowed."""


def tokens(request: Request, tokenizer: Tokenizer, most: int = UNBOUNDED) -> int:
    """Prompt tokens of a chat, by the formula of OpenAI's cookbook ("How to count tokens").

    Each message is 3 + its role (one token) + its text, a name its tokens + 1, and the priming of
    the answer 3. With a task the texts count alone. Raises Lengthy when more than ``most``
    characters were not counted lately and would have to be tokenised, or there are many messages.
    """
    if len(request.messages) > MANY_MESSAGES and most < UNBOUNDED:
        raise Lengthy
    known, counted = tokenizer.known, tokenizer.counted
    total = 0
    if request.task is None or type(request.task) is Count:
        total = PRIMING + (PER_MESSAGE + 1) * len(request.messages)
    elif type(request.task) is Complete:
        total = tokenizer.count(request.task.suffix) * len(request.messages)
    for message in request.messages:
        text = message.text
        count = known(text)
        if count is None:
            most -= len(text)
            if most < 0:
                raise Lengthy
            count = counted(text)
        total += count
        if message.name is not None:
            total += tokenizer.count(message.name) + PER_NAME
        if message.images or message.calls or message.extra or message.tokens:
            within = _Within(tokenizer, most)
            total += _rest(message, within.count)
            most = within.left
    if request.tools or request.format is not None:
        total += tools(request, _Within(tokenizer, most).count)
    return total


class _Within:
    """Counts texts, of which no more than ``left`` characters may have to be tokenised."""

    __slots__ = ("_tokenizer", "left")

    def __init__(self, tokenizer: Tokenizer, left: int) -> None:
        self._tokenizer = tokenizer
        self.left = left

    def count(self, text: str) -> int:
        """The tokens of a text. Raises Lengthy."""
        found = self._tokenizer.known(text)
        if found is not None:
            return found
        self.left -= len(text)
        if self.left < 0:
            raise Lengthy
        return self._tokenizer.counted(text)


def message(message: Message, tokenizer: Tokenizer) -> int:
    """Tokens of one message of a chat, by the same formula."""
    total = PER_MESSAGE + 1 + tokenizer.count(message.text)
    if message.name is not None:
        total += tokenizer.count(message.name) + PER_NAME
    if message.images or message.calls or message.extra or message.tokens:
        total += _rest(message, tokenizer.count)
    return total


def tools(request: Request, count: Counting) -> int:
    """Tokens of the tools on offer and of the schema the answer must have.

    Providers render tools into the prompt in a form of their own; this is an estimate of the
    right size: 12 for the list, 8 a tool, and the tokens of name, description and schema.
    """
    total = PER_TOOLS if request.tools else 0
    for tool in request.tools:
        total += PER_TOOL + count(tool.name) + count(tool.description)
        if tool.schema is not None:
            total += count(dumps(tool.schema).decode())
    if request.format is not None and request.format.schema is not None:
        total += count(dumps(request.format.schema).decode())
    return total


def _rest(message: Message, count: Counting) -> int:
    images = sum(image_tokens(image) for image in message.images)
    calls = sum(call_tokens(call, count) for call in message.calls)
    return message.extra + len(message.tokens) + images + calls


def alone(message: Message, tokenizer: Tokenizer) -> int:
    """Tokens of a message that stands by itself."""
    return tokenizer.count(message.text) + _rest(message, tokenizer.count)


def text(message: Message, tokenizer: Tokenizer) -> str:
    """What a message says, also where it came as tokens. Raises BadRequest for one that the
    encoding does not have."""
    if not message.tokens:
        return message.text
    try:
        return tokenizer.decode(message.tokens)
    except ValueError as error:
        raise invalid(f"Invalid token: {error}.") from None


def call_tokens(call: ToolCall, count: Counting) -> int:
    """Tokens of a tool call the assistant made: its name, its arguments and what frames them."""
    return PER_CALL + count(call.name) + count(call.arguments)


def image_tokens(image: Image) -> int:
    """Tokens of a picture, by its provider's rule."""
    return _by_area(image) if image.rule == "area" else _by_tiles(image)


def _by_tiles(image: Image) -> int:
    """85 in low detail, else 85 + 170 for each 512-pixel tile.

    The picture is first fitted into 2048 × 2048, then its shorter side is brought down to 768
    (OpenAI's guide to images and vision). A picture of unknown size counts 765.
    """
    if image.detail == "low":
        return LOW_DETAIL
    if not (image.width and image.height):
        return UNKNOWN_SIZE
    fit = min(1.0, 2048 / max(image.width, image.height))
    width, height = image.width * fit, image.height * fit
    shrink = min(1.0, 768 / min(width, height))
    across = -(-max(1, round(width * shrink)) // 512)
    down = -(-max(1, round(height * shrink)) // 512)
    return LOW_DETAIL + PER_TILE * across * down


def _by_area(image: Image) -> int:
    """Width × height / 750, once the longer side is brought down to 1568; 1600 at most.

    Anthropic's guide to vision. A picture of unknown size counts as the largest there is.
    """
    if not (image.width and image.height):
        return LARGEST_AREA
    fit = min(1.0, 1568 / max(image.width, image.height))
    area = max(1, round(image.width * fit)) * max(1, round(image.height * fit))
    return min(-(-area // PER_TOKEN), LARGEST_AREA)
