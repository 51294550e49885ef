"""``--until-eof``: the server ends when its standard input does, that is, with every process that
holds the other end of the pipe. However those end: the kernel closes what a killed one held."""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

PIECE: Final = 4096


def stop_at_end_of_input() -> None:
    """Stop this server, as SIGTERM does, once standard input ends. What comes before is ignored."""
    threading.Thread(target=_wait, name="until-eof", daemon=True).start()


def _wait() -> None:
    try:
        while os.read(0, PIECE):
            pass
    except OSError:  # closed, or a terminal that has gone
        pass
    os.kill(os.getpid(), signal.SIGTERM)
