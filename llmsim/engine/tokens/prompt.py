"""How many tokens a prompt is."""

from __future__ import annotations

from llmsim.core import Complete, Count, Message, Request, ToolCall
from llmsim.core.codec import dumps
from llmsim.core.errors import invalid
from llmsim.engine.tokens.image_tokens import image_tokens
from llmsim.engine.tokens.tokenizer import Tokenizer
from llmsim.engine.tokens.tool_tokens import Counting, tool_tokens

PRIMING = 3
PER_MESSAGE = 3
PER_NAME = 1
PER_CALL = 3
UNBOUNDED = 1 << 62
MANY_MESSAGES = 1000


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
            total += _rest(message, request.model, within.count)
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
        known = self._tokenizer.known  # a property: compiled, it cannot be called in one go
        found = known(text)
        if found is not None:
            return found
        self.left -= len(text)
        if self.left < 0:
            raise Lengthy
        return self._tokenizer.counted(text)


def message(message: Message, tokenizer: Tokenizer, model: str = "") -> int:
    """Tokens of one message of a chat with that model, by the same formula."""
    total = PER_MESSAGE + 1 + tokenizer.count(message.text)
    if message.name is not None:
        total += tokenizer.count(message.name) + PER_NAME
    if message.images or message.calls or message.extra or message.tokens:
        total += _rest(message, model, tokenizer.count)
    return total


def tools(request: Request, count: Counting) -> int:
    """Tokens of the tools on offer and of the schema the answer must have, which counts as JSON."""
    total = tool_tokens(request, count) if request.tools else 0
    form = request.format
    if form is not None and form.schema is not None and form.counted:
        total += count(dumps(form.schema).decode())
    return total


def _rest(message: Message, model: str, count: Counting) -> int:
    images = sum(image_tokens(image, model) for image in message.images)
    calls = sum(call_tokens(call, count) for call in message.calls)
    return message.extra + len(message.tokens) + images + calls


def alone(message: Message, tokenizer: Tokenizer) -> int:
    """Tokens of a message that stands by itself."""
    return tokenizer.count(message.text) + _rest(message, "", tokenizer.count)


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
