"""Collecting garbage in a worker."""

from __future__ import annotations

import gc
from typing import Final

COLLECT_AFTER: Final = 50_000
"""Objects after which the youngest generation is collected: that is rare, and cheap once what the
start has made is set aside. What requests make is freed by reference counting."""


def set_aside() -> None:
    """Collect now, and leave what there is out of all collections that follow."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
