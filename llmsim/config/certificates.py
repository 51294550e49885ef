"""Whether a certificate, its private key and the roots of clients' certificates can be used.

OpenSSL, by way of the standard library, has the say: it loads them, and shakes hands with itself
in memory, which shows that key and certificate belong together and gives the certificate's fields.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from typing import Any, Final

from llmsim.config.settings import TLS

FILES: Final = ("cert", "key", "client_ca")
"""The keys of ``server.tls`` that name a file which is read."""

_SUPPORTED: Final = "RSA, P-256, P-384 or Ed25519"
_UNSUPPORTED: Final = {
    "P-521": bytes.fromhex("06072a8648ce3d0201 06052b81040023"),
    "Ed448": bytes.fromhex("300506032b6571 033a00"),
}
"""What OpenSSL can do and the HTTP server cannot: how such a public key begins in a certificate."""

_MISMATCHES: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")
_NO_CHECK_TIME: Final = 0x200000  # openssl/x509_vfy.h, X509_V_FLAG_NO_CHECK_TIME


class CertificateError(Exception):
    """Files that a server cannot use: ``reasons`` says why, by the key that names the file."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__("; ".join(f"server.tls.{key}: {why}" for key, why in reasons.items()))
        self.reasons = reasons


class _EncryptedError(Exception):
    """A private key asks for a password."""


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A certificate; ``begins`` and ``ends`` are the Unix times between which it is valid."""

    serial: str
    begins: float
    ends: float

    def warning(self, now: float | None = None) -> str | None:
        """What clients will hold against it, if anything."""
        now = time.time() if now is None else now
        if now > self.ends:
            return f"has expired on {_date(self.ends)}"
        if now < self.begins:
            return f"is not valid before {_date(self.begins)}"
        return None


def examine(tls: TLS) -> ServerCertificate | None:
    """The certificate that clients will see; None where it has yet to be made.

    Raises CertificateError.
    """
    paths = {name: path for name in FILES if (path := getattr(tls, name)) is not None}
    reasons = {name: why for name, path in paths.items() if (why := _unreadable(path))}
    for name in ("cert", "client_ca"):
        if name in paths and name not in reasons and not _has_certificates(paths[name]):
            reasons[name] = "has no certificate in PEM"
    certificate = None
    if tls.cert is not None and tls.key is not None and not {"cert", "key"} & reasons.keys():
        try:
            certificate = _examined(tls.cert, tls.key)
        except CertificateError as error:
            reasons |= error.reasons
    if reasons:
        raise CertificateError({name: reasons[name] for name in FILES if name in reasons})
    return certificate


def _unreadable(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except FileNotFoundError:
        return f"there is no file {path}"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return f"{path} cannot be read: {reason}"
    return None


def _has_certificates(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return False
    return True


def _examined(cert: str, key: str) -> ServerCertificate:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(cert, key, _no_password)
        fields, der = _shake_hands(server, cert)
    except _EncryptedError:
        message = "is encrypted: openssl pkey -in KEY -out FILE makes a file that is not"
        raise CertificateError({"key": message}) from None
    except ssl.SSLError as error:
        if error.reason in _MISMATCHES:
            raise CertificateError(
                {"key": "is not the private key of the certificate in cert"}
            ) from None
        if "PEM" in str(error):
            raise CertificateError({"key": "has no private key in PEM"}) from None
        why = getattr(error, "verify_message", None) or error.reason or error
        raise CertificateError({"cert": f"cannot be used: {why}"}) from None
    for kind, public_key in _UNSUPPORTED.items():
        if public_key in der:
            raise CertificateError(
                {"key": f"is of a kind that is not supported: {kind}; use {_SUPPORTED}"}
            )
    return ServerCertificate(
        fields["serialNumber"],
        ssl.cert_time_to_seconds(fields["notBefore"]),
        ssl.cert_time_to_seconds(fields["notAfter"]),
    )


def _no_password() -> str:
    raise _EncryptedError


def _shake_hands(server: ssl.SSLContext, cert: str) -> tuple[dict[str, Any], bytes]:
    """The certificate, its fields and as a whole, as a client sees it that trusts just this one, at
    any time. Raises SSLError."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME)
    client.load_verify_locations(cert)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    done: set[ssl.SSLObject] = set()
    while len(done) < len(ends):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            done.add(end)
    fields: Any = ends[0].getpeercert()
    der = ends[0].getpeercert(binary_form=True)
    assert fields  # they are there, and it is, once it was verified
    assert der is not None
    return fields, der


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
