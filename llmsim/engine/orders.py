"""What was decided about one answer from outside its own words, before it is planned."""

from __future__ import annotations

from msgspec import Struct


class Orders(Struct, frozen=True, gc=False):
    """Decisions that bend one answer.

    ``pace`` is a factor on the gaps between tokens. ``waited`` is how long the request was queued,
    in seconds: its clock begins that much later.
    """

    pace: float = 1.0
    waited: float = 0.0


AS_ASKED = Orders()
"""Nothing was decided."""
