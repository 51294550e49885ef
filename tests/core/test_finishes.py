"""The words for why an answer ended are those of the SDKs."""

from typing import get_args

from anthropic.types.beta import BetaStopReason
from google.genai import types
from openai.types.chat.chat_completion import Choice

from llmsim.config.schema.responses import BLOCKS
from llmsim.core.mocks.finishes import FINISHES, SPEECHLESS


def test_every_word_of_an_sdk_is_known() -> None:
    openai = get_args(Choice.model_fields["finish_reason"].annotation)
    gemini = [one.value for one in types.FinishReason if not one.value.endswith("UNSPECIFIED")]
    assert {*openai, *get_args(BetaStopReason), *gemini} <= FINISHES.keys()
    assert FINISHES.keys() >= SPEECHLESS


def test_the_reasons_for_a_blocked_prompt_are_geminis() -> None:
    known = {one.value for one in types.BlockedReason if not one.value.endswith("UNSPECIFIED")}
    assert set(BLOCKS) == known
