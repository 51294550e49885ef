"""vLLM's ``/tokenize`` and ``/detokenize`` (``TokenizeRequest``, ``DetokenizeRequest`` of its
protocol): what is asked for and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from msgspec import Struct

from llmsim.core import Message
from llmsim.core.errors import invalid
from llmsim.providers.openai.chat.conversation import conversation
from llmsim.providers.openai.chat.messages import WireMessage
from llmsim.providers.openai.errors import refuse
from llmsim.providers.wire.decoding import MalformedBody, decode


class TokenizeRequest(Struct):
    """Either a prompt or the messages of a chat.

    No encoding here has tokens that begin a text, which ``add_special_tokens`` would add.
    """

    model: str | None = None
    prompt: str | None = None
    messages: list[WireMessage] | None = None
    add_special_tokens: bool | None = None
    return_token_strs: bool | None = None
    add_generation_prompt: bool = True
    continue_final_message: bool = False
    chat_template: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None

    def conversation(self) -> tuple[Message, ...]:
        """The messages in neutral terms. Raises BadRequest where they do not fit together."""
        return conversation(self.messages or [])


class DetokenizeRequest(Struct):
    tokens: list[int]
    model: str | None = None


_tokenize = msgspec.json.Decoder(TokenizeRequest)
_detokenize = msgspec.json.Decoder(DetokenizeRequest)


def tokenize_request(body: bytes) -> TokenizeRequest:
    """Raises BadRequest."""
    try:
        wire = decode(_tokenize, body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    if (wire.prompt is None) == (wire.messages is None):
        raise invalid("Exactly one of 'prompt' and 'messages' must be given.", "prompt")
    if wire.continue_final_message and wire.add_generation_prompt:
        message = "Cannot set both `continue_final_message` and `add_generation_prompt` to True."
        raise invalid(message, "continue_final_message")
    return wire


def detokenize_request(body: bytes) -> DetokenizeRequest:
    """Raises BadRequest."""
    try:
        return decode(_detokenize, body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None


def tokenized(ids: Sequence[int], texts: Sequence[str] | None, window: int) -> bytes:
    """The answer of ``/tokenize``: ``texts`` are those of the tokens where they are wanted,
    ``window`` is how many the model holds."""
    return orjson.dumps(
        {"count": len(ids), "max_model_len": window, "tokens": ids, "token_strs": texts}
    )


def detokenized(text: str) -> bytes:
    """The answer of ``/detokenize``."""
    return orjson.dumps({"prompt": text})
