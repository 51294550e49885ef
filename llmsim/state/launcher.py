"""The process that started this one."""

from __future__ import annotations

import ctypes
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def signal_its_death(number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its launcher dies: it would keep the port for
    ever. Only Linux does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
