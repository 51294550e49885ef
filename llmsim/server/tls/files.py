"""The certificates in effect: copies, so that a worker that is replaced has those of the others.

The HTTP server underneath reads the files as a worker starts. Were they the user's, a worker that
starts while they are being replaced would read others than the rest have, or none of any use. So
workers are given copies that were examined, and that change only together.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from typing import Any, Final

from granian.constants import SSLProtocols

from llmsim.config.certificates import FILES, CertificateError, ServerCertificate, examine
from llmsim.config.settings import TLS

_PROTOCOLS: Final = {"1.2": SSLProtocols.tls12, "1.3": SSLProtocols.tls13}


class Copies:
    """Copies of files with these ``contents``, by the keys of ``tls`` that name the files.

    They are in memory where the system can do that, so a private key is never written to a disk,
    and are there as long as this process, until they are dropped. Raises CertificateError.
    """

    def __init__(self, tls: TLS, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self._files = {name: _file(content) for name, content in contents.items()}
        paths: dict[str, Any] = {name: path for name, (_, path) in self._files.items()}
        self._tls = replace(tls, **paths)
        try:
            certificate = examine(self._tls)
        except CertificateError:
            self.drop()
            raise
        assert certificate is not None
        self.certificate: ServerCertificate = certificate

    def context(self) -> tuple[Any, ...]:
        """What Granian's workers are given, its ``ssl_ctx``."""
        tls, verify = self._tls, self._tls.client_ca is not None
        protocol = str(_PROTOCOLS[tls.min_version])
        return (True, tls.cert, tls.key, None, protocol, tls.client_ca, [], verify)

    def drop(self) -> None:
        """Remove them."""
        for descriptor, path in self._files.values():
            os.close(descriptor)
            if not path.startswith("/proc/"):
                os.unlink(path)
        self._files = {}


class TLSFiles:
    """The files that ``tls`` names, and copies of what was in them last.

    Raises CertificateError.
    """

    def __init__(self, tls: TLS) -> None:
        self._tls = tls
        self.current = Copies(tls, _contents(tls))

    def changed(self) -> Copies | None:
        """Copies of what is in the files by now; None if that is what was in them last.

        Raises CertificateError.
        """
        contents = _contents(self._tls)
        return None if contents == self.current.contents else Copies(self._tls, contents)


def _contents(tls: TLS) -> dict[str, bytes]:
    examine(tls)  # says what cannot be read, and why
    contents = {}
    for name in FILES:
        path = getattr(tls, name)
        if path is not None:
            try:
                with open(path, "rb") as file:
                    contents[name] = file.read()
            except OSError as error:  # it was there a moment ago
                raise CertificateError({name: f"{path} cannot be read: {error.strerror}"}) from None
    return contents


def _file(content: bytes) -> tuple[int, str]:
    """An open file with that content, and a path other processes of this user open it by."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("llmsim-tls", os.MFD_CLOEXEC)
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
    else:
        descriptor, path = tempfile.mkstemp(prefix="llmsim-", suffix=".pem")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    return descriptor, path
