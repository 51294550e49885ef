"""The scopes in effect in one worker: the configuration of each, and the pipeline of its requests.

A scope is built when a request first comes in it, and again when it or the server's configuration
has changed. What it does not change is the server's: its models, where their settings are the same.
"""

from __future__ import annotations

import time
from asyncio import to_thread
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Final

from llmsim.config import Config
from llmsim.config.nodes import Place, wrong
from llmsim.core.state import PipelineState
from llmsim.pipeline.pipeline import Pipeline
from llmsim.runtime.runtime_config import RuntimeConfig, runtime_config
from llmsim.runtime.store import Edit
from llmsim.state.scoped import scoped_state
from llmsim.state.scopes import ScopeRecord, ScopeStore

NOT_SCOPED: Final = ("concurrency", "keys")
"""What is the whole server's: its slots, and who is let in before anybody knows of a scope."""

WHOLE: Final = "is the whole server's: it cannot be changed for a scope"

OF_MODELS: Final = ("latency", "response", "thinking", "models", "validation")
"""What the settings of models follow from."""

NOTED: Final = 1.0
"""Seconds from one note that a scope is in use to the next."""


@dataclass(slots=True)
class ScopeRuntime:
    """A scope, as built from one version of it. ``used`` is when its use was last noted."""

    version: int
    record: ScopeRecord
    server: RuntimeConfig
    runtime: RuntimeConfig
    used: float = 0.0


class Scopes:
    """The scopes of one worker. ``runtime`` gives the server's configuration in effect, ``state``
    is what its pipelines work on."""

    def __init__(
        self, store: ScopeStore, state: PipelineState, runtime: Callable[[], RuntimeConfig]
    ) -> None:
        self.store = store
        self._state = state
        self._runtime = runtime
        self._built: dict[str, ScopeRuntime] = {}

    async def enter(self, name: str) -> tuple[Pipeline, str]:
        """The pipeline of a scope, and the label of its requests in the journal."""
        found = await self.scope(name)
        return found.runtime.pipeline, found.record.label

    async def scope(self, name: str) -> ScopeRuntime:
        """The scope as it is now; one that does not exist yet begins."""
        server, now = self._runtime(), time.monotonic()
        found = self._built.get(name)
        if found is not None and found.server is server:
            version = self.store.version(name)
            if version == found.version:
                if now - found.used > NOTED:
                    self.store.used(name, version)
                    found.used = now
                return found
        found = await to_thread(self._build, name, server)
        if len(self._built) >= server.config.scopes.max:
            self._built.clear()
        self._built[name] = found
        return found

    async def change(self, name: str, edit: Edit) -> Config:
        """Change the configuration of a scope; gives the one in effect. If ``edit`` raises, nothing
        has changed. Raises ConfigError for what is the whole server's."""
        server = self._runtime().config

        def changed(record: ScopeRecord) -> ScopeRecord:
            before = replace(server, **record.sections)
            after = edit(before)
            names = [one.name for one in fields(Config)]
            sections = {
                one: getattr(after, one)
                for one in names
                if one in record.sections or getattr(after, one) != getattr(before, one)
            }
            for one in NOT_SCOPED:
                if one in sections:
                    raise wrong(Place(f"scope {name}"), one, WHOLE)
            return replace(record, sections=sections)

        _, record = await to_thread(self.store.change, name, changed)
        return replace(server, **record.sections)

    def _build(self, name: str, server: RuntimeConfig) -> ScopeRuntime:
        version, record = self.store.opened(name)
        config = replace(server.config, **record.sections)
        same = all(getattr(config, one) == getattr(server.config, one) for one in OF_MODELS)
        state = scoped_state(self._state, record)
        runtime = runtime_config(config, state, server.registry if same else None)
        return ScopeRuntime(version, record, server, runtime)


class ScopeTarget:
    """A scope as what is edited. ``scope`` is how it is now."""

    def __init__(self, scopes: Scopes, name: str, scope: ScopeRuntime) -> None:
        self._scopes = scopes
        self._name = name
        self.config = scope.runtime.config

    async def change(self, edit: Edit) -> Config:
        """Change it, as seen by the next request in whichever worker."""
        self.config = await self._scopes.change(self._name, edit)
        return self.config

    async def reset(self) -> None:
        """Its statistics go on."""
        await to_thread(self._scopes.store.change, self._name, ScopeRecord.fresh)

    async def restart_timetable(self) -> None:
        """In this scope only."""
        await to_thread(self._scopes.store.change, self._name, ScopeRecord.restarted)
