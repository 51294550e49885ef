"""Gemini's ``countTokens``: the tokens a request would be, by the same count as its usage
(``CountTokensResponse`` of google-genai 3.4's types)."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from llmsim.dialects import gemini, gemini_envelope, gemini_request, gemini_spelling
from llmsim.dialects.decoding import Malformed
from llmsim.dialects.gemini_parts import Content, Contents
from llmsim.dialects.gemini_request import GenerateRequest, Request
from llmsim.dialects.gemini_tools import Tool
from llmsim.errors import Failure, invalid
from llmsim.exchange import Ask, Count, Counted, Headers, Plan, Reply, Script, Stamp


class CountRequest(Struct, rename="camel"):
    """The contents alone, or all of a request."""

    contents: Contents | None = None
    generate_content_request: Request | None = None
    system_instruction: str | Content | None = None
    tools: list[Tool] | None = None


_reader = gemini_spelling.Reader(CountRequest)


class GeminiCount:
    """``POST …/models/{model}:countTokens``."""

    name = "gemini_count"

    def __init__(self, model: str | None = None, version: str = "v1beta") -> None:
        self._model = model
        self._version = version

    def decode(self, body: bytes) -> Ask:
        try:
            wire = _reader.read(body)
        except Malformed as mistake:
            raise gemini_envelope.refuse(mistake, "CountTokensRequest") from None
        whole = wire.generate_content_request
        if whole is None:
            if wire.contents is None:
                message = "* CountTokensRequest.contents: contents is not specified"
                raise invalid(message, "contents")
            whole = GenerateRequest(wire.contents, None, wire.system_instruction, tools=wire.tools)
        elif wire.contents is not None:
            message = "contents and generate_content_request are mutually exclusive."
            raise invalid(message, "generate_content_request")
        model = gemini_request.named(whole.model) if self._model is None else self._model
        return replace(gemini_request.ask(whole, model, False), task=Count())

    def failure(self, failure: Failure, stamp: Stamp) -> tuple[int, bytes]:
        return gemini_envelope.failure(failure, self._version, "countTokens")

    def broken(self, ask: Ask, failure: Failure, stamp: Stamp, sent: int) -> bytes:
        return b""

    def retry(self, after: float) -> Headers:
        return []  # the body's details say it

    def headers(self, plan: Plan, stamp: Stamp) -> Headers:
        return [*gemini_envelope.JSON, gemini_envelope.identified(stamp)]

    def plain(self, ask: Ask, reply: Reply, stamp: Stamp) -> bytes:
        assert isinstance(reply.made, Counted)
        tokens = reply.made.prompt
        details = gemini.modalities(tokens, ask.wire)
        return f'{{"totalTokens":{tokens},"promptTokensDetails":[{details}]}}'.encode()

    def script(self, ask: Ask, reply: Reply, stamp: Stamp) -> Script:
        raise AssertionError("a count is never streamed")
