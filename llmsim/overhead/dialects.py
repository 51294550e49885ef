"""The APIs a gateway can be asked in: how a request is written and where an answer has its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = Mapping[str, Any]

SENTENCE: Final = "the gateway sends each request on to a model and streams what it says back to us"
WORDS: Final = SENTENCE.split()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One API. ``path`` has the model where it has ``{model}``; ``body`` makes a request of
    model, prompt, most tokens and whether it is streamed; ``key`` names the header of the API key
    and what is before it; ``text`` is the text that an event of a stream brings (empty if none),
    ``whole`` the one of a plain answer, ``last`` whether an event (its kind,
    its data) ends a stream; ``head_at_once`` says that a stream's head does not wait for the first
    token."""

    path: str
    stream_path: str
    body: Callable[[str, str, int, bool], dict[str, Any]]
    key: tuple[str, str]
    text: Callable[[Json], str]
    whole: Callable[[Json], str]
    last: Callable[[str, Json], bool]
    headers: tuple[tuple[str, str], ...] = ()
    head_at_once: bool = False

    def target(self, model: str, stream: bool) -> str:
        return (self.stream_path if stream else self.path).replace("{model}", model)


def prompt(marker: str, tokens: int) -> str:
    """A text of about as many tokens that begins with the marker, as llmsim's journal knows one."""
    words = [WORDS[at % len(WORDS)] for at in range(max(tokens - 12, 1))]
    return f"[[llmsim:id={marker}]] {' '.join(words)}"


def _chat_body(model: str, text: str, tokens: int, stream: bool) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": tokens,
        **({"stream": True} if stream else {}),
    }


def _chat_text(event: Json) -> str:
    parts = (choice.get("delta") or {} for choice in event.get("choices") or ())
    return "".join(
        part.get("content") or part.get("reasoning_content") or part.get("reasoning") or ""
        for part in parts
    )


def _chat_whole(answer: Json) -> str:
    return "".join((one.get("message") or {}).get("content") or "" for one in answer["choices"])


def _responses_body(model: str, text: str, tokens: int, stream: bool) -> dict[str, Any]:
    asked = {"model": model, "input": text, "max_output_tokens": tokens}
    return asked | ({"stream": True} if stream else {})


def _responses_text(event: Json) -> str:
    delta = event.get("delta")
    return delta if str(event.get("type", "")).endswith(".delta") and isinstance(delta, str) else ""


def _responses_whole(answer: Json) -> str:
    parts = (part for item in answer["output"] for part in item.get("content") or ())
    return "".join(part.get("text") or "" for part in parts)


def _anthropic_body(model: str, text: str, tokens: int, stream: bool) -> dict[str, Any]:
    asked = {
        "model": model,
        "max_tokens": tokens,
        "messages": [{"role": "user", "content": text}],
    }
    return asked | ({"stream": True} if stream else {})


def _anthropic_text(event: Json) -> str:
    if event.get("type") != "content_block_delta":
        return ""
    delta = event.get("delta") or {}
    return delta.get("text") or delta.get("thinking") or delta.get("partial_json") or ""


def _anthropic_whole(answer: Json) -> str:
    return "".join(block.get("text") or block.get("thinking") or "" for block in answer["content"])


def _gemini_body(model: str, text: str, tokens: int, stream: bool) -> dict[str, Any]:
    return {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "generationConfig": {"maxOutputTokens": tokens},
    }


def _gemini_text(event: Json) -> str:
    return "".join(
        part.get("text") or ""
        for candidate in event.get("candidates") or ()
        for part in (candidate.get("content") or {}).get("parts") or ()
    )


def _finished(event: Json) -> bool:
    return any(one.get("finishReason") for one in event.get("candidates") or ())


DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai_chat": Dialect(
        path="/v1/chat/completions",
        stream_path="/v1/chat/completions",
        body=_chat_body,
        key=("authorization", "Bearer "),
        text=_chat_text,
        whole=_chat_whole,
        last=lambda kind, event: kind == "[DONE]",
    ),
    "openai_responses": Dialect(
        path="/v1/responses",
        stream_path="/v1/responses",
        body=_responses_body,
        key=("authorization", "Bearer "),
        text=_responses_text,
        whole=_responses_whole,
        last=lambda kind, event: kind in ("response.completed", "response.incomplete"),
        head_at_once=True,
    ),
    "anthropic": Dialect(
        path="/v1/messages",
        stream_path="/v1/messages",
        body=_anthropic_body,
        key=("x-api-key", ""),
        text=_anthropic_text,
        whole=_anthropic_whole,
        last=lambda kind, event: kind == "message_stop",
        headers=(("anthropic-version", "2023-06-01"),),
        head_at_once=True,
    ),
    "gemini": Dialect(
        path="/v1beta/models/{model}:generateContent",
        stream_path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
        body=_gemini_body,
        key=("x-goog-api-key", ""),
        text=_gemini_text,
        whole=_gemini_text,
        last=lambda kind, event: _finished(event),
    ),
}
