"""Why an answer ended, in every provider's word for it."""

from __future__ import annotations

from typing import Final

from llmsim.core.completion import Finish

NEUTRAL: Final = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOLS,
    "content_filter": Finish.FILTER,
}
"""OpenAI's words, which stand for those of the others as well."""

OWN: Final = {
    "function_call": Finish.TOOLS,
    # anthropic's StopReason, with betas
    "end_turn": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "stop_sequence": Finish.STOP,
    "tool_use": Finish.TOOLS,
    "pause_turn": Finish.STOP,
    "compaction": Finish.STOP,
    "refusal": Finish.FILTER,
    "model_context_window_exceeded": Finish.LENGTH,
    # google-genai's FinishReason
    "STOP": Finish.STOP,
    "MAX_TOKENS": Finish.LENGTH,
    "SAFETY": Finish.FILTER,
    "RECITATION": Finish.FILTER,
    "LANGUAGE": Finish.FILTER,
    "OTHER": Finish.STOP,
    "BLOCKLIST": Finish.FILTER,
    "PROHIBITED_CONTENT": Finish.FILTER,
    "SPII": Finish.FILTER,
    "MALFORMED_FUNCTION_CALL": Finish.STOP,
    "IMAGE_SAFETY": Finish.FILTER,
    "IMAGE_PROHIBITED_CONTENT": Finish.FILTER,
    "IMAGE_OTHER": Finish.STOP,
    "NO_IMAGE": Finish.STOP,
    "IMAGE_RECITATION": Finish.FILTER,
    "UNEXPECTED_TOOL_CALL": Finish.STOP,
    "TOO_MANY_TOOL_CALLS": Finish.STOP,
    "MISSING_THOUGHT_SIGNATURE": Finish.STOP,
    "MALFORMED_RESPONSE": Finish.STOP,
    "ESCALATION": Finish.STOP,
    "PUP_LIMITED_DISABLED": Finish.STOP,
    "CONTINUATION": Finish.STOP,
    "MODEL_ARMOR": Finish.FILTER,
}
"""Words that one provider has. In the others' answers stands what comes nearest."""

SPEECHLESS: Final = frozenset(
    (
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "NO_IMAGE",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    )
)
"""Words after which there is nothing to read."""

FINISHES: Final = {**NEUTRAL, **OWN, "max_output_tokens": Finish.LENGTH}
"""What each word means."""
