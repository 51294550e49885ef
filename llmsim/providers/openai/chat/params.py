"""Chat completions: the request, as openai 3.54's ``CompletionCreateParams`` types it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from llmsim.core import Effort
from llmsim.providers.openai.chat.messages import WireMessage
from llmsim.providers.openai.chat.tools import (
    Function,
    LegacyChoice,
    ResponseFormat,
    WireTool,
    WireToolChoice,
)

Penalty = Annotated[float, Meta(ge=-2, le=2)]
NonNegative = Annotated[int, Meta(ge=0)]


class StreamOptions(Struct):
    """``continuous_usage_stats`` is vLLM's."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None
    continuous_usage_stats: bool | None = None


class AudioOut(Struct):
    """How an answer that is said is to sound. llmsim has one voice."""

    voice: Any
    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"]


class ChatRequest(Struct):
    """The parameters llmsim reads or checks; every other one is ignored."""

    messages: Annotated[list[WireMessage], Meta(min_length=1)]
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: NonNegative | None = None
    max_completion_tokens: NonNegative | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    logit_bias: dict[str, float] | None = None
    reasoning_effort: Effort | None = None
    tools: Annotated[list[WireTool], Meta(min_length=1)] | None = None
    tool_choice: WireToolChoice | None = None
    parallel_tool_calls: bool | None = None
    functions: Annotated[list[Function], Meta(min_length=1)] | None = None
    function_call: LegacyChoice | None = None
    response_format: ResponseFormat | None = None
    service_tier: str | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    thinking: Any = None
    reasoning: Any = None
    include_reasoning: bool | None = None
    web_search_options: dict[str, Any] | None = None
    modalities: list[str] | None = None
    audio: AudioOut | None = None

    @property
    def legacy(self) -> bool:
        """Whether tools came as ``functions``, and calls go back as ``function_call``."""
        return self.functions is not None and self.tools is None

    @property
    def audio_wanted(self) -> bool:
        return self.modalities is not None and "audio" in self.modalities

    @property
    def routed(self) -> bool:
        """Whether reasoning is asked for as OpenRouter's clients do, and goes back in its form."""
        return isinstance(self.reasoning, dict) or self.include_reasoning is True

    @property
    def usage_wanted(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage is True

    @property
    def counted(self) -> bool:
        """Whether every chunk has the usage so far."""
        options = self.stream_options
        return options is not None and options.continuous_usage_stats is True and self.usage_wanted

    @property
    def obfuscated(self) -> bool:
        options = self.stream_options
        return options is None or options.include_obfuscation is not False


DECODER = msgspec.json.Decoder(ChatRequest)
