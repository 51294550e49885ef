"""The log says when ``server.max_keys`` was too few."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from llmsim.state.shm.key_table import KeyTable

QUIET: Final = 60.0
"""Seconds between two lines."""

NAMES: Final = {"rate_limits": "callers of rate limits", "counters": "named counters"}

log = logging.getLogger("llmsim")


class ForgottenKeys:
    """Looks at the tables, and writes a line when one of them has forgotten something."""

    def __init__(self, tables: Mapping[str, KeyTable]) -> None:
        self._tables = tables
        self._logged = dict.fromkeys(tables, 0)
        self._quiet_until = 0.0

    def look(self, now: float) -> None:
        """Write what there is to say at this second."""
        if now < self._quiet_until:
            return
        for name, table in self._tables.items():
            forgotten = table.forgotten
            if forgotten == self._logged[name]:
                continue
            self._logged[name] = forgotten
            self._quiet_until = now + QUIET
            log.warning(
                "server.max_keys: there are more than %d %s: %d were forgotten so far, and count "
                "from nothing if they come again",
                table.shape.keys,
                NAMES[name],
                forgotten,
            )
