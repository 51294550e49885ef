"""ShareGPT: conversations of people with a model; each answer in one is a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from llmsim.engine.tokens.ranks import encoding
from llmsim.recordings.traces.row import TraceError

ROLES: Final = {"human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant"}
ROLES_ALSO: Final = {"bing": "assistant", "bard": "assistant", "system": "system"}
TOKENIZER: Final = "o200k_base"


def turns(document: Any, where: str) -> Iterator[dict[str, Any]]:
    """A line for each answer: all that was said before it, it, and the tokens of both. Raises
    TraceError."""
    for place, conversation in enumerate(document if isinstance(document, list) else [document]):
        if not isinstance(conversation, dict) or "conversations" not in conversation:
            raise TraceError(f"{where}: [{place}]: no conversations")
        name = str(conversation.get("id", place))
        messages: list[dict[str, str]] = []
        for said in conversation["conversations"]:
            role = (ROLES | ROLES_ALSO).get(str(said.get("from")), "user")
            text = str(said.get("value", ""))
            if role == "assistant" and messages:
                yield {
                    "arrived": 0.0,
                    "id": name,
                    "messages": list(messages),
                    "answer": text,
                    "prompt_tokens": sum(_tokens(one["content"]) for one in messages),
                    "output_tokens": _tokens(text),
                }
            messages.append({"role": role, "content": text})


def _tokens(text: str) -> int:
    return len(encoding(TOKENIZER).encode_ordinary(text))
