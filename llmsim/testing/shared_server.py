"""One server for several processes, started by the first that wants it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmsim.testing.addresses import Addresses
from llmsim.testing.server_process import ServerProcess


def addresses(folder: str, config: Mapping[str, Any] | Path) -> Addresses:
    """The addresses of the folder's server. It ends when nobody holds the pipe in the folder open
    for writing, whoever started it."""
    found = Path(folder, "server")
    with Path(folder, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            pipe = os.open(Path(folder, "pipe"), os.O_RDONLY | os.O_NONBLOCK)
            os.set_blocking(pipe, True)
            try:
                server = ServerProcess(config, stdin=pipe).start()
            finally:
                os.close(pipe)
            found.write_text(json.dumps(asdict(server.addresses)), encoding="utf-8")
            server.leave()
        return Addresses(**json.loads(found.read_text(encoding="utf-8")))
