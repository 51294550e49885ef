"""The answer to a request without a server: what ``llmsim.plan`` and ``llmsim plan`` give."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import orjson
from msgspec import structs

from llmsim import config as configuration
from llmsim.config import Config
from llmsim.config.nodes import Place, tree
from llmsim.config.reader import read
from llmsim.core import Numbering, Plan, Request, Stamp
from llmsim.engine import seeds
from llmsim.pipeline.context import Call
from llmsim.providers import registry
from llmsim.providers.provider import Endpoint
from llmsim.runtime.runtime_config import runtime_config
from llmsim.state.memory import memory_state

NO_STAMP = Stamp("0" * 26, 0)
"""What ids are made of where nobody will ask for them."""


def plan(
    body: Mapping[str, Any] | bytes,
    *,
    dialect: str = "openai_chat",
    config: Config | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    seed: int | None = None,
    turn: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Plan:
    """The answer of a server that has just started to one request, byte for byte: frames and when
    each is due, in seconds after the request's arrival. Nothing is sent, nobody waits.

    ``dialect`` is one of those of ``llmsim plan --dialect``; where an API has the model in the
    path, as Gemini's, the body names it as ``model``, and asks for a stream by ``stream``.
    ``config`` is what llmsim.yaml would say, or its path. ``seed`` None is the one that the server
    would take, ``turn`` the request's place among all. A request that is refused has a plan, too:
    that of its failure. Raises ConfigError for a configuration with mistakes, and ValueError for
    a dialect that does not exist.
    """
    settings = settings_of(config)
    found = endpoint_of(dialect, settings.validation == "strict")
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    made = partial(planned, content, found, settings, NO_STAMP, seed, turn, headers)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _listed(made())
    with ThreadPoolExecutor(1) as thread:  # that loop cannot run another one inside
        return _listed(thread.submit(made).result())


class ListedFrames(list[bytes]):
    """Frames to go over: views of them know no iteration where they are compiled."""

    def join(self, start: int, stop: int) -> bytes:
        return b"".join(self[start:stop])

    def reorder(self, order: Numbering) -> ListedFrames:
        return ListedFrames(self[index] for index in order[:].tolist())


def _listed(plan: Plan) -> Plan:
    """The plan with its frames and due times written out."""
    frames = ListedFrames(plan.frames[place] for place in range(len(plan.frames)))
    return structs.replace(plan, frames=frames, due=plan.due[:])


def settings_of(config: Config | Mapping[str, Any] | str | os.PathLike[str] | None) -> Config:
    """The configuration in whichever form. Raises ConfigError."""
    if config is None:
        return Config()
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        settings: Config = read(tree(config, Place("config")))
        return settings
    return configuration.load(os.fspath(config), {}, {})


def endpoint_of(name: str, strict: bool = False) -> Endpoint:
    """The endpoint of that dialect. Raises ValueError."""
    endpoints = registry.by_codec(strict)
    if name not in endpoints:
        raise ValueError(f"dialect: must be one of {', '.join(endpoints)}, not {name!r}")
    return endpoints[name]


class HeadersOnly:
    """A caller who is known by the headers of the request, and never leaves."""

    path = query = ""
    socket = None

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = {name.lower(): value for name, value in headers.items()}

    def header(self, name: str) -> str | None:
        """A request header by its lower-case name."""
        return self._headers.get(name)

    def names(self) -> list[str]:
        """The names of all request headers, in lower case."""
        return list(self._headers)

    async def left(self) -> None:
        """Never returns."""
        await asyncio.Event().wait()


class SeedMemory:
    """An endpoint's memory that knows nothing but the seed of the request; None leaves it."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed

    async def recall(self, request: Request) -> Request:
        """The request with the seed."""
        return request if self._seed is None else structs.replace(request, seed=self._seed)

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | None:
        """Nothing is kept."""
        return None


def planned(
    body: bytes,
    endpoint: Endpoint,
    config: Config,
    stamp: Stamp,
    seed: int | None = None,
    turn: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Plan:
    """What a server that has just started would answer; a refusal is a plan, too.

    ``seed`` None takes the seed the server would
    take. ``turn`` is the request's place in the order all workers agree on.
    """
    fresh = seeds.SeedSource(secrets.randbits(seeds.BITS))
    pipeline = runtime_config(config, memory_state(fresh, turn=turn)).pipeline
    if endpoint.streaming is not None and _streamed(body):
        endpoint = endpoint.streaming
    call = Call(endpoint, HeadersOnly(headers or {}), stamp, body, SeedMemory(seed))
    return asyncio.run(pipeline.plan(call))


def _streamed(body: bytes) -> bool:
    """Whether the body asks for a stream."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(fields, dict) and fields.get("stream") is True
