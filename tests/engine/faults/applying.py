"""Answers with a fault in them, planned as the server would."""

from typing import Any, TypeAlias

import orjson
from msgspec import structs

from llmsim.core import Codec, Plan
from llmsim.core.faults import Fault
from llmsim.engine.overrides import ResponseOverrides
from llmsim.engine.plan import plan
from llmsim.providers.anthropic.messages.codec import Anthropic
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.completions.codec import OpenAICompletions
from llmsim.providers.openai.responses.codec import OpenAIResponses
from tests.engine.asking import STAMP, drawn, settings

TOKENS = 20
Asked: TypeAlias = tuple[Codec, dict[str, Any]]
_SAID: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
_GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}

STREAMED: dict[str, Asked] = {
    "openai_chat": (OpenAIChat(), {**_SAID, "model": "gpt-4o", "stream": True}),
    "openai_completions": (
        OpenAICompletions(),
        {"model": "gpt-3.5-turbo-instruct", "prompt": "hi", "max_tokens": 99, "stream": True},
    ),
    "openai_responses": (OpenAIResponses(), {"model": "gpt-4o", "input": "hi", "stream": True}),
    "anthropic": (
        Anthropic(),
        {**_SAID, "model": "claude-sonnet-4-5", "max_tokens": 99, "stream": True},
    ),
    "gemini": (Gemini("gemini-2.5-flash-lite", True), _GEMINI),
    "gemini_array": (Gemini("gemini-2.5-flash-lite", True, events=False), _GEMINI),
}
PLAIN: dict[str, Asked] = {
    name: (codec, {**body, "stream": False})
    for name, (codec, body) in STREAMED.items()
    if not name.startswith("gemini")
} | {"gemini": (Gemini("gemini-2.5-flash-lite"), _GEMINI)}


def planned(
    asked: Asked,
    fault: Fault | None = None,
    profile: str = "gpt-4o",
    polled: bool = False,
    **fields: Any,
) -> Plan:
    """The plan of a request with a fault in its answer, which is of TOKENS tokens."""
    codec, body = asked
    request = structs.replace(codec.decode(orjson.dumps({**body, **fields})), polled=polled)
    model_settings = settings(request.model, tokens=TOKENS, profile=profile)
    inputs = structs.replace(
        drawn(request, model_settings), overrides=ResponseOverrides(fault=fault)
    )
    return plan(request, model_settings, inputs, codec, STAMP)


def sent(made: Plan) -> bytes:
    """All that is sent of a plan."""
    return made.frames.join(0, len(made.frames))
