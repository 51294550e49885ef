"""The ``control`` section: who may steer the server while it runs, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from llmsim.config.containers import Maybe
from llmsim.config.kinds import Switch, Text


@dataclass(frozen=True, slots=True)
class Control:
    """``headers`` lets a request say what becomes of it: in ``x-llmsim-*`` headers, or after its
    model's name.

    ``token`` is what llmsim's own endpoints want to see; None lets everyone in.
    ``protect_metrics`` wants it at ``/metrics``, too.
    """

    headers: Annotated[bool, Switch()] = True
    token: Annotated[str | None, Maybe(Text("a token"))] = None
    protect_metrics: Annotated[bool, Switch()] = False
