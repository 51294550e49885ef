"""``--ready-file``: a file that is there while the server can be used, and has its address."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

LOOK: Final = 0.005
"""Seconds between two looks at whether the server is ready."""


def local_url(host: str, port: int, tls: bool = False) -> str:
    """The URL under which this machine reaches a server that listens there."""
    scheme = "https" if tls else "http"
    local = _local(host)
    return f"{scheme}://[{local}]:{port}" if ":" in local else f"{scheme}://{local}:{port}"


def accepts(host: str, port: int) -> bool:
    """Whether a server listens there."""
    try:
        socket.create_connection((_local(host), port), timeout=1.0).close()
    except OSError:
        return False
    return True


@contextmanager
def ready_file(path: str, url: str, ready: Callable[[], bool]) -> Iterator[None]:
    """A context in which the file appears, whole and with the URL as its one line, once ``ready``
    says so. Outside it there is none. Raises OSError where there cannot be one."""
    file = Path(path)
    file.unlink(missing_ok=True)  # of a server that was killed
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(f"{url}\n", encoding="utf-8")
    over = threading.Event()
    writer = threading.Thread(target=_write, args=(fresh, file, ready, over), daemon=True)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
        for one in (file, fresh):
            with suppress(OSError):
                one.unlink(missing_ok=True)


def _write(fresh: Path, file: Path, ready: Callable[[], bool], over: threading.Event) -> None:
    while not ready():
        if over.wait(LOOK):
            return
    with suppress(OSError):  # a folder that is gone meanwhile: nobody looks for it any more
        os.replace(fresh, file)


def _local(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
