"""Places of requests in orders that all workers agree on: cursors of the segment."""

from __future__ import annotations

from llmsim.state.shm.segment import Cursor, Segment


class SegmentOrder:
    """The orders in the memory that all workers share."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def turn(self) -> int:
        """The place of a request among those that take a text of the generator ``sequence``."""
        return self._segment.advance(Cursor.TURN)

    def draw(self) -> int:
        """The place of a request among those whose failure is left to chance."""
        return self._segment.advance(Cursor.RANDOM_FAULTS)

    def reset(self) -> None:
        """Begin both orders again."""
        for cursor in (Cursor.TURN, Cursor.RANDOM_FAULTS):
            self._segment.put(cursor, 0)
