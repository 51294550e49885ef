"""Gemini's ``countTokens``: how many tokens a request has, counted as for its usage
(``CountTokensResponse`` of google-genai 3.4's types)."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from llmsim.core import Completion, Count, Request, Stamp, TokenCount
from llmsim.core.errors import invalid
from llmsim.providers.gemini import errors, json_names
from llmsim.providers.gemini import strict as gemini_strict
from llmsim.providers.gemini.generate import codec, params
from llmsim.providers.gemini.generate.params import AnyGenerateRequest, GenerateRequest
from llmsim.providers.gemini.generate.parts import Content, Contents
from llmsim.providers.gemini.generate.tools import WireTool
from llmsim.providers.wire.decoding import MalformedBody


class CountRequest(Struct, rename="camel"):
    """Either the contents alone, or a whole request."""

    contents: Contents | None = None
    generate_content_request: AnyGenerateRequest | None = None
    system_instruction: str | Content | None = None
    tools: list[WireTool] | None = None


_reader = json_names.Reader(CountRequest)


class GeminiCount:
    """``POST …/models/{model}:countTokens``."""

    name = "gemini_count"

    def __init__(self, model: str | None = None, strict: bool = False) -> None:
        self._model = model
        self._strict = strict

    def decode(self, body: bytes) -> Request:
        try:
            wire = _reader.read(body)
        except MalformedBody as mistake:
            raise errors.refuse(mistake, "CountTokensRequest") from None
        whole = wire.generate_content_request
        if whole is None:
            if wire.contents is None:
                message = "* CountTokensRequest.contents: contents is not specified"
                raise invalid(message, "contents")
            whole = GenerateRequest(wire.contents, None, wire.system_instruction, tools=wire.tools)
        elif wire.contents is not None:
            message = "contents and generate_content_request are mutually exclusive."
            raise invalid(message, "generate_content_request")
        model = params.body_model(whole.model) if self._model is None else self._model
        if self._strict:
            gemini_strict.check_count(body, model)
        return replace(params.request(whole, model, False), task=Count())

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, TokenCount)
        tokens = completion.made.prompt
        details = codec.modalities(tokens, request.wire.media)
        return f'{{"totalTokens":{tokens},"promptTokensDetails":[{details}]}}'.encode()
