"""A pipeline of a configuration file's text, with state in plain objects and a clock that stands
still until a test moves it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from llmsim.config import load
from llmsim.core import Plan, Stamp
from llmsim.core.errors import Failure
from llmsim.core.state import PipelineState
from llmsim.pipeline.context import Call
from llmsim.providers import registry
from llmsim.runtime.runtime_config import runtime_config
from llmsim.state.memory import memory_state

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
CHAT = "openai_chat"


class Client:
    """Who waits for an answer, and stays until ``leave``."""

    def __init__(self, headers: Mapping[str, str], query: str = "") -> None:
        self.path, self.query = "", query
        self._headers = dict(headers)
        self._gone = asyncio.Event()

    def header(self, name: str) -> str | None:
        return self._headers.get(name)

    def names(self) -> list[str]:
        return list(self._headers)

    async def left(self) -> None:
        await self._gone.wait()

    def leave(self) -> None:
        self._gone.set()


class Simulated:
    """``now`` is in seconds; seeds that nobody asked for are 1001, 1002 …, unless ``state`` is
    passed."""

    def __init__(self, folder: Path, text: str = "", state: PipelineState | None = None) -> None:
        path = folder / "llmsim.yaml"
        path.write_text(text, encoding="utf-8")
        self.config = load(str(path), {}, {})
        self.now = 1.0
        self.hosted = False
        self.state = state or memory_state(count(1001).__next__, clock=lambda: self.now)
        self.pipeline = runtime_config(self.config, self.state).pipeline
        self._endpoints = registry.by_codec(self.config.validation == "strict")

    def with_state(self, **parts: Any) -> None:
        """Put others in place of some parts of the state."""
        self.state = dataclasses.replace(self.state, **parts)
        self.pipeline = runtime_config(self.config, self.state).pipeline

    def call(
        self,
        text: str = "Say something.",
        headers: Mapping[str, str] | None = None,
        *,
        waiting: bool = True,
        codec: str = CHAT,
        **fields: Any,
    ) -> Call:
        """A call with one user message; ``fields`` are the body's own."""
        message = {"role": "user", "content": text}
        body = orjson.dumps({"model": "gpt-4o", "messages": [message], **fields})
        caller = Client(headers or {}) if waiting else None
        return Call(self._endpoints[codec], caller, STAMP, body)

    def plan(self, call: Call) -> Plan:
        return asyncio.run(self.pipeline.plan(call))

    def ask(self, *args: Any, **fields: Any) -> Plan:
        """Plan a call and end it as the server does."""
        call = self.call(*args, **fields)
        plan = self.plan(call)
        settle(call, plan)
        return plan


def settle(call: Call, plan: Plan) -> None:
    """The end of a request: what it holds is given back."""
    if call.held is not None:
        usage = plan.completion and plan.completion.usage
        call.held.settle(
            (usage.prompt, usage.completion, usage.reasoning, usage.cached)
            if usage
            else (0, 0, 0, 0)
        )


def said(plan: Plan) -> str:
    """The text of a plain chat answer, or the message of a failure."""
    document = orjson.loads(plan.frames[0])
    if plan.completion is None:
        return str(document["error"]["message"])
    return str(document["choices"][0]["message"]["content"])


def failure(plan: Plan) -> Failure:
    """Why a request was refused."""
    assert plan.completion is None
    assert plan.failure is not None
    return plan.failure
