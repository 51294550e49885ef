"""Certificates in files, as users have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from llmsim.server.tls.self_signed import Authority


class Pair(NamedTuple):
    """A certificate and its key: their paths."""

    cert: str
    key: str


def server_pair(folder: Path, name: str = "server") -> Pair:
    """A certificate for this machine, of the authority in the folder, replaced if there is one."""
    return _issued(folder, name, ["localhost", "127.0.0.1", "::1"])


def client_pair(folder: Path, name: str = "client") -> Pair:
    """A certificate for a client of that name, of the authority in the folder."""
    return _issued(folder, name, [name], ExtendedKeyUsageOID.CLIENT_AUTH)


def _issued(
    folder: Path,
    name: str,
    subjects: list[str],
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> Pair:
    folder.mkdir(exist_ok=True)
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    Authority.of(folder).issue(subjects, cert, key, purpose)
    return Pair(str(cert), str(key))


def serial(pem: str | bytes) -> str:
    """The serial number of a certificate in PEM, as OpenSSL writes it."""
    raw = pem.encode() if isinstance(pem, str) else pem
    text = f"{x509.load_pem_x509_certificate(raw).serial_number:X}"
    return text.rjust(len(text) + len(text) % 2, "0")


def odd_pair(
    folder: Path,
    name: str = "odd",
    begins: int = -1,
    ends: int = 1,
    curve: ec.EllipticCurve | None = None,
    password: bytes | None = None,
) -> Pair:
    """A certificate that signs itself, valid from one day to another, both counted from now."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(begins))
        .not_valid_after(now + timedelta(ends))
        .sign(key, SHA256())
    )
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    cert_path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
    cert_path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return Pair(str(cert_path), str(key_path))
