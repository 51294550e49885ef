"""A request as the server remembers it, in the form tests ask about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


class ReceivedRequest:
    """One request that the server was sent, and what became of it.

    ``raw`` is its entry of ``/llmsim/requests``, with all that is not an attribute here. What the
    server does not know (yet) is None or empty.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = dict(raw)
        details = raw.get("details") or {}
        self.id: str = raw["id"]
        self.endpoint: str = raw["endpoint"]
        self.model: str = raw["model"]
        self.status: int | None = raw["status"]
        self.stream: bool = bool(raw.get("stream"))
        self.arrived: float = raw["arrived"]
        """Unix time, seconds."""
        self.method: str = raw.get("method") or "POST"
        self.path: str = (details.get("url") or raw["endpoint"]).partition("?")[0]
        self.headers: dict[str, str] = dict(details.get("headers") or ())
        """By lower-case name; secrets are masked."""
        self.body: Any = raw.get("request")
        """What was sent: a dictionary, or text where it was no JSON."""
        self.answer: Any = _decoded(details.get("answer"))
        """What was answered: a dictionary, or text where it was a stream."""
        self.usage: dict[str, int] = dict(raw.get("tokens") or {})
        """Tokens: ``prompt``, ``completion``, ``reasoning``, ``cached``."""
        self.error: str | None = raw.get("error")
        """The kind of error, as in the configuration."""
        self.message: str | None = details.get("message")
        self.mock: str | None = raw.get("mock") or None
        self.recording: str | None = details.get("recording") or None
        self.rule: str | None = details.get("rule") or None
        self.scope: str | None = raw.get("scope") or None

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation as it was sent, whatever its API calls it; a text alone is a message of
        the user."""
        body = self.body if isinstance(self.body, dict) else {}
        for name in ("messages", "input", "contents", "prompt"):
            found = body.get(name)
            if isinstance(found, str):
                return [{"role": "user", "content": found}]
            if isinstance(found, list):
                return [one if isinstance(one, dict) else {"content": one} for one in found]
        return []

    @property
    def tools(self) -> list[str]:
        """The names of the tools that the model was offered."""
        body = self.body if isinstance(self.body, dict) else {}
        return [name for tool in body.get("tools") or () for name in _names(tool)]

    @property
    def called_tools(self) -> list[str]:
        """The names of the tools whose calls are in the conversation."""
        return [name for message in self.messages for name in _calls(message)]

    @property
    def text(self) -> str:
        """All texts of the instructions and the conversation, a line each."""
        body = self.body if isinstance(self.body, dict) else {}
        instructions = (body.get(name) for name in ("system", "instructions", "systemInstruction"))
        return "\n".join(text for part in (*instructions, self.messages) for text in _texts(part))

    def __repr__(self) -> str:
        text = self.text.rpartition("\n")[2]
        short = text if len(text) <= 60 else f"{text[:57]}…"
        decided = f" mock={self.mock!r}" if self.mock else ""
        return f"<{self.endpoint} {self.model} {self.status} {short!r}{decided}>"


def _names(tool: Any) -> Iterator[str]:
    """The names in an entry of ``tools``: OpenAI, Anthropic and Gemini each nest them elsewhere."""
    if not isinstance(tool, dict):
        return
    declared = tool.get("functionDeclarations") or tool.get("function_declarations")
    if isinstance(declared, list):
        for one in declared:
            yield from _names(one)
        return
    function = tool.get("function")
    name = (function if isinstance(function, dict) else tool).get("name") or tool.get("type")
    if isinstance(name, str):
        yield name


def _calls(value: Any) -> Iterator[str]:
    """The names of the calls in a message: ``tool_calls``, ``tool_use``, ``functionCall`` …"""
    if not isinstance(value, dict):
        return
    for call in value.get("tool_calls") or ():
        yield from _names(call)
    if value.get("type") in ("tool_use", "function_call", "custom_tool_call"):
        yield from _names(value)
    for name in ("functionCall", "function_call"):
        yield from _names(value.get(name))
    for name in ("content", "parts"):
        inner = value.get(name)
        for one in inner if isinstance(inner, list) else ():
            yield from _calls(one)


def _decoded(answer: Any) -> Any:
    try:
        return json.loads(answer)
    except (TypeError, ValueError):
        return answer or None


def _texts(value: Any) -> Iterator[str]:
    """The texts of a message or of several, however they are nested."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name in ("content", "text", "parts", "output"):
            if name in value:
                yield from _texts(value[name])
