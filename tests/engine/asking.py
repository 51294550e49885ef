"""What the tests of the engine ask, and under which settings: as the server would."""

from collections.abc import Sequence
from typing import Any

import orjson

from llmsim.config import Config, Response
from llmsim.core import Plan, Request, Stamp
from llmsim.core.generator import GeneratorChoice
from llmsim.core.latency import Latency, LatencyRule
from llmsim.engine.compose import ModelSettings, PlanInputs
from llmsim.engine.plan import plan
from llmsim.engine.tokens import prompt
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.runtime.model_settings import ModelRegistry

CHAT = OpenAIChat()
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)

# Texts that a tokenizer, a stream or JSON could trip over.
AWKWARD = [
    "",
    " ",
    "\n\n \t\n",
    "plain words",
    "a family 👩‍👩‍👧‍👦 and flags 🏳️‍🌈🇺🇳",
    "ꙮ𓀀𓁐 नमस्ते דוגמה 한국어",
    "e\u0301e\u0301",
    '"quoted" \\ back\\slash \u0000 \u2028 </script>',
    "<|endoftext|> and data: [DONE]\n\n",
    "x" * 400,
]


def settings(
    model: str = "gpt-4o",
    generator: str = "lorem",
    texts: Sequence[str] = (),
    tokens: int = 40,
    profile: str = "gpt-4o",
) -> ModelSettings:
    """The settings that a configuration of these values has for ``model``."""
    config = Config(
        response=Response(GeneratorChoice(generator, tuple(texts)), tokens),
        latency=Latency(LatencyRule(profile)),
    )
    return ModelRegistry(config).settings(model)


def asked(text: str = "Say something.", **fields: Any) -> Request:
    """A chat request of one user message; ``fields`` are the body's own."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **fields}
    return CHAT.decode(orjson.dumps(body))


def drawn(
    request: Request, model_settings: ModelSettings, seed: int = 7, turn: int = 0
) -> PlanInputs:
    """What the server would have read and drawn for this request."""
    return PlanInputs(
        seed=seed, turn=turn, prompt_tokens=prompt.tokens(request, model_settings.tokenizer)
    )


def planned(
    request: Request,
    model_settings: ModelSettings,
    seed: int = 7,
    turn: int = 0,
    stamp: Stamp = STAMP,
) -> Plan:
    """The plan of this request."""
    return plan(request, model_settings, drawn(request, model_settings, seed, turn), CHAT, stamp)
