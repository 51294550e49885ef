"""What is chat of the server, in each API's words: adding an API is adding a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice
from typing import Any

FRESH = b"@@@@@@@@"
"""Where a load client writes a number, to make each request's last message a new one."""

TEXT = (
    "the gateway sends each request on to a model and streams what it says back to whoever "
    "chat while it counts tokens keeps limits and writes down how long every part of it took"
)
WORDS = TEXT.split()


@dataclass(frozen=True, slots=True)
class Wire:
    """One API as a load client sees it.

    ``body`` makes a request of ``messages``, for an answer of ``tokens`` tokens, streamed or not.
    The messages alternate between user and assistant and the last is the user's; where their
    number is even, the first is the system's. A streamed answer is ``lead`` events, one event a
    token, and ``tail`` events. ``stream_path`` is where a stream is chat for, if not at ``path``.
    """

    path: str
    headers: tuple[tuple[str, str], ...]
    body: Callable[[Sequence[str], int, bool], dict[str, Any]]
    lead: int
    tail: int
    stream_path: str = ""

    def request(self, messages: Sequence[str], tokens: int, stream: bool) -> bytes:
        """The raw HTTP/1.1 request."""
        body = json.dumps(self.body(messages, tokens, stream), separators=(",", ":")).encode()
        path = (stream and self.stream_path) or self.path
        head = [
            f"POST {path} HTTP/1.1",
            "host: 127.0.0.1",
            "content-type: application/json",
            f"content-length: {len(body)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join([*head, "", ""]).encode() + body


def _openai_chat(messages: Sequence[str], tokens: int, stream: bool) -> dict[str, Any]:
    system = ["system"] * (len(messages) % 2 == 0)
    roles = chain(system, cycle(("user", "assistant")))
    return {
        "model": "gpt-4o",
        "messages": [
            {"role": role, "content": text} for role, text in zip(roles, messages, strict=False)
        ],
        "max_completion_tokens": tokens,
        "stream": stream,
    }


def _openai_completions(messages: Sequence[str], tokens: int, stream: bool) -> dict[str, Any]:
    return {
        "model": "gpt-3.5-turbo-instruct",
        "prompt": "\n".join(messages),
        "max_tokens": tokens,
        "stream": stream,
    }


def _openai_responses(messages: Sequence[str], tokens: int, stream: bool) -> dict[str, Any]:
    chat = _openai_chat(messages, tokens, stream)
    return {
        "model": chat["model"],
        "input": chat["messages"],
        "max_output_tokens": tokens,
        "stream": stream,
    }


def _gemini(messages: Sequence[str], tokens: int, stream: bool) -> dict[str, Any]:
    contents: list[dict[str, Any]] = [{"parts": [{"text": text}]} for text in messages]
    system = {"systemInstruction": contents.pop(0)} if len(messages) % 2 == 0 else {}
    for content, role in zip(contents, cycle(("user", "model")), strict=False):
        content |= {"role": role}
    return {
        **system,
        "contents": contents,
        "generationConfig": {"maxOutputTokens": tokens},
    }


def _anthropic(messages: Sequence[str], tokens: int, stream: bool) -> dict[str, Any]:
    system = {"system": messages[0]} if len(messages) % 2 == 0 else {}
    texts = messages[len(system) :]
    return {
        "model": "claude-sonnet-4-6",
        **system,
        "messages": [
            {"role": role, "content": text}
            for role, text in zip(cycle(("user", "assistant")), texts, strict=False)
        ],
        "max_tokens": tokens,
        "stream": stream,
    }


def _hosted(messages: Sequence[str], tokens: int, stream: bool) -> dict[str, Any]:
    asked = _anthropic(messages, tokens, stream)
    del asked["model"], asked["stream"]
    return asked


def _converse(messages: Sequence[str], tokens: int, stream: bool) -> dict[str, Any]:
    asked = _anthropic(messages, tokens, stream)
    system = {"system": [{"text": asked["system"]}]} if "system" in asked else {}
    return {
        **system,
        "messages": [
            {"role": one["role"], "content": [{"text": one["content"]}]}
            for one in asked["messages"]
        ],
        "inferenceConfig": {"maxTokens": tokens},
    }


WIRES = {
    "openai_chat": Wire(
        path="/v1/chat/completions",
        headers=(("authorization", "Bearer sk-bench"),),
        body=_openai_chat,
        lead=1,  # the role
        tail=2,  # the finish reason; [DONE]
    ),
    "openai_responses": Wire(
        path="/v1/responses",
        headers=(("authorization", "Bearer sk-bench"),),
        body=_openai_responses,
        lead=4,  # response created and in progress; item and content part added
        tail=4,  # text, content part, item and response done
    ),
    "openai_completions": Wire(
        path="/v1/completions",
        headers=(("authorization", "Bearer sk-bench"),),
        body=_openai_completions,
        lead=0,
        tail=2,  # the finish reason; [DONE]
    ),
    "anthropic": Wire(
        path="/v1/messages",
        headers=(("x-api-key", "bench"), ("anthropic-version", "2023-06-01")),
        body=_anthropic,
        lead=3,  # message and block start; ping
        tail=3,  # block, message delta and message stop
    ),
    "gemini": Wire(
        path="/v1beta/models/gemini-2.5-flash-lite:generateContent",
        stream_path="/v1beta/models/gemini-2.5-flash-lite:streamGenerateContent?alt=sse",
        headers=(("x-goog-api-key", "bench"),),
        body=_gemini,
        lead=0,
        tail=0,  # the finish reason comes with the last token
    ),
    "azure_chat": Wire(
        path="/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        headers=(("api-key", "bench"),),
        body=_openai_chat,
        lead=1,  # the prompt's verdict and the role
        tail=2,  # the finish reason; [DONE]
    ),
    "vertex_gemini": Wire(
        path="/v1/publishers/google/models/gemini-2.5-flash-lite:generateContent",
        stream_path="/v1/publishers/google/models/gemini-2.5-flash-lite:streamGenerateContent"
        "?alt=sse",
        headers=(("authorization", "Bearer bench"),),
        body=_gemini,
        lead=0,
        tail=0,
    ),
    "vertex_claude": Wire(
        path="/v1/publishers/anthropic/models/claude-sonnet-4-6:rawPredict",
        stream_path="/v1/publishers/anthropic/models/claude-sonnet-4-6:streamRawPredict",
        headers=(("authorization", "Bearer bench"),),
        body=_hosted,
        lead=3,
        tail=3,
    ),
    "bedrock_converse": Wire(
        path="/model/anthropic.claude-sonnet-4-6/converse",
        stream_path="/model/anthropic.claude-sonnet-4-6/converse-stream",
        headers=(("authorization", "Bearer bench"),),
        body=_converse,
        lead=1,  # messageStart
        tail=3,  # contentBlockStop, messageStop, metadata
    ),
    "bedrock_invoke": Wire(
        path="/model/anthropic.claude-sonnet-4-6/invoke",
        stream_path="/model/anthropic.claude-sonnet-4-6/invoke-with-response-stream",
        headers=(("authorization", "Bearer bench"),),
        body=_hosted,
        lead=3,
        tail=3,
    ),
}


def conversation(messages: int, characters: int, fresh: bool) -> list[str]:
    """So many messages of about ``characters`` each, no two the same.

    With ``fresh`` the last one begins with :data:`FRESH`.
    """
    texts = []
    for number in range(messages):
        start = number % len(WORDS)
        text = " ".join(islice(cycle(WORDS), start, start + characters // 4))
        texts.append(f"{number} {text}"[:characters])
    if fresh:
        texts[-1] = f"{FRESH.decode()} {texts[-1]}"
    return texts


BODIES: dict[str, Callable[[], list[str]]] = {
    "small": lambda: conversation(1, 60, fresh=False),
    "small, new text": lambda: conversation(1, 60, fresh=True),
    "20 KB": lambda: conversation(50, 360, fresh=False),
    "20 KB, new last message": lambda: conversation(50, 360, fresh=True),
}
"""Conversations by name. Where nothing is new, a server may have counted the tokens before."""
