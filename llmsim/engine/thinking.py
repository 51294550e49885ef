"""How hard a reasoning model thinks, and how many tokens that takes."""

from __future__ import annotations

from llmsim.core import Effort, Request
from llmsim.core.catalog.models import Model
from llmsim.engine.seeds import mix

# Reasoning tokens at each effort: the least, and how many steps of 64 may come on top. Real
# models report multiples of 64 and rise about so; the exact numbers are our own.
TOKENS: dict[Effort, tuple[int, int]] = {
    "none": (0, 1),
    "minimal": (0, 1),
    "low": (64, 3),
    "medium": (192, 6),
    "high": (576, 12),
    "xhigh": (1152, 24),
    "max": (2304, 48),
}
STEP = 64

# The effort of a model that thinks only on request, where the request names none.
ON_REQUEST: Effort = "medium"


def effort(request: Request, model: Model) -> Effort:
    """How hard the model thinks about this request; "none" if it does not."""
    asked = request.thinking
    if asked is None:
        return model.effort
    if not (model.reasoning or asked.wanted):
        return "none"
    if asked.effort is not None:
        return asked.effort
    return ON_REQUEST if asked.wanted and model.effort == "none" else model.effort


def tokens(request: Request, model: Model, limit: int, seed: int, may_starve: bool) -> int:
    """Tokens spent on thinking: at most ``limit``, which is what the client allows for the answer,
    and half of that unless thinking ``may_starve`` the answer."""
    hard = effort(request, model)
    if hard == "none":
        return 0
    least, steps = TOKENS[hard]
    spent = least + STEP * (mix(seed, 7) % steps)
    if model.reasoning_factor != 1.0:
        spent = int(spent * model.reasoning_factor) // STEP * STEP
    if request.thinking is not None and request.thinking.budget is not None:
        spent = min(spent, request.thinking.budget)
    return min(spent, limit if may_starve else limit // 2)
