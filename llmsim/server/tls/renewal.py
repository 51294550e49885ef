"""New certificates at SIGHUP: workers that have them take the place of the others.

The HTTP server underneath reads certificates once, as a worker starts. So workers are replaced, one
after another, and each of those that go lets its open streams end. Files that cannot be used
change nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from llmsim.config.certificates import CertificateError
from llmsim.server.tls.files import Copies, TLSFiles

log = logging.getLogger("llmsim")

STAY = "certificates not reloaded: those in effect stay"


class Workers(Protocol):
    """Who starts the workers: each is given ``ssl_ctx``."""

    ssl_ctx: tuple[Any, ...]

    def replace_workers(self, ready: Callable[[int], bool]) -> bool:
        """Replace every worker; False, with nothing changed, if a new one cannot start. ``ready``
        says of a process id whether it serves."""
        ...


class Renewal:
    """Gives workers the certificates that the files hold. ``ready`` is as for
    :meth:`Workers.replace_workers`."""

    def __init__(self, files: TLSFiles, workers: Workers, ready: Callable[[int], bool]) -> None:
        self._files = files
        self._workers = workers
        self._ready = ready
        self._put(files.current)

    def renew(self) -> None:
        """Put what is in the files into effect, if it is something else than before."""
        try:
            fresh = self._files.changed()
        except CertificateError as error:
            for key, why in error.reasons.items():
                log.error("server.tls.%s: %s", key, why)
            log.error(STAY)
            return
        if fresh is None:
            return
        before = self._files.current
        self._put(fresh)
        if self._workers.replace_workers(self._ready):
            before.drop()
            log.info(
                "certificates reloaded: the server's has the serial %s", fresh.certificate.serial
            )
        else:
            self._put(before)
            fresh.drop()
            log.error("no worker starts with what is in the files of server.tls; " + STAY)

    def _put(self, copies: Copies) -> None:
        self._files.current = copies
        self._workers.ssl_ctx = copies.context()
        warning = copies.certificate.warning()
        if warning is not None:
            log.warning("server.tls.cert: %s", warning)
