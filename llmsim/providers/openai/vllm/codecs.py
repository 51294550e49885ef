"""OpenAI's endpoints of models that vLLM serves: with vLLM's fields and errors, and without the
rules of OpenAI's service, as vLLM lets any other field pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
from msgspec import Struct, structs

from llmsim.core import Format, Request
from llmsim.core.catalog.models import plain
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.completions.codec import OpenAICompletions
from llmsim.providers.openai.vllm import errors, structured_outputs
from llmsim.providers.provider import Endpoint
from llmsim.providers.wire.wrapped_codec import WrappedCodec


class VLLMCodec(WrappedCodec):
    """``POST`` of chat or completions, which ``codec`` reads and writes as OpenAI's."""

    def decode(self, body: bytes) -> Request:
        request = super().decode(body)
        own = structured_outputs.read(body)
        form = structured_outputs.answer_format(own) or _uncounted(request.format)
        thinking = request.thinking
        if request.task is None:
            thinking = structured_outputs.thinking(own, thinking)
        return structs.replace(request, format=form, thinking=thinking)


def _uncounted(form: Format | None) -> Format | None:
    return None if form is None else structs.replace(form, counted=False)


class _Named(Struct):
    model: str


_named = msgspec.json.Decoder(_Named)
_CODECS = {one.name: VLLMCodec(one.name, one) for one in (OpenAIChat(), OpenAICompletions())}


class VLLMEndpoints:
    """In place of OpenAI's endpoints those of vLLM, for the models that it ``serves``."""

    def __init__(self, serves: Callable[[str], bool]) -> None:
        self._serves = serves
        self._made: dict[Endpoint, Endpoint] = {}

    def of(self, endpoint: Endpoint, body: bytes) -> Endpoint:
        """The endpoint for a body that was sent to ``endpoint``."""
        codec = _CODECS.get(endpoint.codec.name)
        if codec is None or endpoint.provider.name != "openai":
            return endpoint
        try:
            model = _named.decode(body).model
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return endpoint  # whose codec says what is wrong
        if not self._serves(plain(model)):
            return endpoint
        made = self._made.get(endpoint)
        if made is None:
            made = replace(endpoint, codec=codec, errors=errors.FORMAT, headers=errors.head)
            self._made[endpoint] = made
        return made
