"""What Azure's content filter says of prompts and answers: that they are harmless, or which
category they were filtered for."""

from __future__ import annotations

from typing import Any, Final

import orjson

from llmsim.providers.openai.chat.chunks import ChoiceNotes
from llmsim.providers.wire import sse

SAFE: Final = {"filtered": False, "severity": "safe"}
FILTERED: Final = {"filtered": True, "severity": "medium"}
UNDETECTED: Final = {"filtered": False, "detected": False}

_HARMS: Final = {"hate": SAFE, "self_harm": SAFE, "sexual": SAFE, "violence": SAFE}

ANSWER: Final[dict[str, Any]] = {
    "hate": SAFE,
    "protected_material_code": UNDETECTED,
    "protected_material_text": UNDETECTED,
    "self_harm": SAFE,
    "sexual": SAFE,
    "violence": SAFE,
}
FILTERED_ANSWER: Final[dict[str, Any]] = {**ANSWER, "violence": FILTERED}
PROMPT: Final[dict[str, Any]] = {
    "hate": SAFE,
    "jailbreak": UNDETECTED,
    "self_harm": SAFE,
    "sexual": SAFE,
    "violence": SAFE,
}
FILTERED_PROMPT: Final[dict[str, Any]] = {**PROMPT, "violence": FILTERED}


def prompt_results(prompts: int = 1) -> list[dict[str, Any]]:
    """The verdict on each prompt of a request that was let through."""
    return [{"prompt_index": i, "content_filter_results": PROMPT} for i in range(prompts)]


def _member(results: dict[str, Any]) -> bytes:
    return b',"content_filter_results":' + orjson.dumps(results)


_FIRST_CHUNK: Final = {
    "choices": [],
    "created": 0,
    "id": "",
    "model": "",
    "object": "",
    "prompt_filter_results": prompt_results(),
}

NOTES: Final = ChoiceNotes(
    _member(_HARMS),
    _member({**_HARMS, "violence": FILTERED}),
    _member({}),
    sse.event(orjson.dumps(_FIRST_CHUNK)),
)
"""What a stream of chat chunks has of it: the prompt's verdict comes in a chunk of its own."""
