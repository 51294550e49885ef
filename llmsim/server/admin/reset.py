"""``POST /llmsim/reset?what=…``: parts of what a server has counted or remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from llmsim.core.mocks.mock import counter_keys
from llmsim.core.spelling import did_you_mean
from llmsim.runtime.scopes import ScopeRuntime
from llmsim.server.admin.windows import Windows
from llmsim.server.services import Services
from llmsim.state.scoped import prefix_of

PARTS: Final = ("journal", "counters", "stats", "limits", "mocks")


def parse(text: str) -> tuple[str, ...]:
    """The parts of a list with commas. Raises ValueError for one that is none."""
    wanted = tuple(text.split(","))
    for part in wanted:
        if part not in PARTS:
            hint = did_you_mean(part, PARTS)
            raise ValueError(f"what: must be of {', '.join(PARTS)}, not {part!r}{hint}")
    return wanted


async def reset_scope(services: Services, scope: ScopeRuntime, parts: tuple[str, ...]) -> None:
    """Reset these parts of a scope; its statistics begin anew."""
    assert services.scopes is not None
    record, config = scope.record, scope.runtime.config
    if "mocks" in parts:
        for key in (*counter_keys(config.mocks), *counter_keys(config.scripts)):
            services.shared.named_counters.clear(prefix_of(record) + key)
    change = services.scopes.store.change
    await asyncio.to_thread(change, record.name, lambda before: before.reset(parts))


async def reset(services: Services, parts: tuple[str, ...]) -> None:
    """Reset these parts of the whole server.

    ``counters`` are all that decide about failures, mocks and scripts, ``mocks`` only how often
    each of these was used; ``stats`` lets all open windows begin again: what is counted for
    metrics only grows.
    """
    shared = services.shared
    if "journal" in parts:
        shared.clear_journal()
    if "stats" in parts:
        await Windows(shared, services.store).begin_again()
    slices: dict[str, Callable[[], Iterator[None]]] = {
        "counters": shared.reset_counters,
        "limits": shared.buckets.reset,
    }
    for part, begin in slices.items():
        if part in parts:
            for _ in begin():
                await asyncio.sleep(0)
    if "mocks" in parts:
        config = services.holder.runtime.config
        for key in (*counter_keys(config.mocks), *counter_keys(config.scripts)):
            shared.named_counters.clear(key)
