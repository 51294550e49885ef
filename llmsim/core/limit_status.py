"""How much of its limits a caller has left."""

from __future__ import annotations

from msgspec import Struct

from llmsim.core.errors import Measure


class LimitStatus(Struct, frozen=True, gc=False):
    """One limit as it stands once a request is admitted or refused.

    ``remaining`` is what may still be taken at once, ``reset`` the seconds until all of it may
    be if nobody takes any.
    """

    measure: Measure
    limit: int
    remaining: int
    reset: float
