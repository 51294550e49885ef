"""What was decided about one response before it is planned: by mocks, faults, headers, a queue."""

from __future__ import annotations

from msgspec import Struct

from llmsim.core.faults import Fault
from llmsim.engine.mocks.rendered import RenderedMock


class ResponseOverrides(Struct, frozen=True, gc=False):
    """How one response differs from what its model's settings alone would give.

    ``pace`` is a factor on the gaps between tokens. ``waited`` is how long the request was queued,
    in seconds: its clock begins that much later. ``delay`` is a factor on the time to first token,
    ``fault`` what goes wrong in the middle of the answer, ``mock`` what it says.
    """

    pace: float = 1.0
    waited: float = 0.0
    delay: float = 1.0
    fault: Fault | None = None
    mock: RenderedMock | None = None


NO_OVERRIDES = ResponseOverrides()
"""Nothing was decided."""
