"""Self-signed certificates: an authority of one's own, and a certificate of it for this machine.

The authority is kept in a folder, so clients need to be shown its certificate only once. A server's
certificate is made at every start.

Needs the extra ``tls``, so this module is imported where it is used.
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from llmsim.config.settings import TLS, Server

CA: Final = "ca.pem"
"""The file with the certificate of the authority."""

LIFE: Final = timedelta(days=397)
"""How long a certificate is valid: the most that browsers take."""

CA_LIFE: Final = timedelta(days=3650)

SKEW: Final = timedelta(hours=1)
"""How far the clocks of clients may be behind."""


def make(server: Server, folder: Path) -> TLS:
    """The settings of a server with a certificate for this machine, which is made in ``folder`` by
    an authority that is found or made there.

    Raises OSError where that cannot be written, ValueError where the authority's files are broken.
    """
    assert server.tls is not None
    folder.mkdir(parents=True, exist_ok=True)
    cert, key = folder / "server.pem", folder / "server.key"
    Authority.of(folder).issue(names(server, socket.gethostname()), cert, key)
    return replace(server.tls, cert=str(cert), key=str(key), self_signed=None)


def names(server: Server, hostname: str) -> list[str]:
    """What clients may call a server: names and IP addresses."""
    found = ["localhost", "127.0.0.1", "::1", hostname]
    if not ip_address(server.host).is_unspecified:
        found.append(server.host)
    # A certificate has no patterns but a * in place of the first label.
    found += (one for one in server.allowed_hosts if not set(one.removeprefix("*.")) & set("*?[]"))
    return list(dict.fromkeys(found))


class Authority:
    """A certificate authority: its certificate, and its key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @classmethod
    def of(cls, folder: Path) -> Authority:
        """The one in a folder; a new one where there is none, or none that outlives what it would
        sign. Raises OSError and ValueError."""
        path, key_path = folder / CA, folder / "ca.key"
        if path.exists() and key_path.exists():
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            key = load_pem_private_key(key_path.read_bytes(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{key_path} is not of an authority that llmsim made")
            if certificate.not_valid_after_utc > datetime.now(UTC) + LIFE:
                return cls(certificate, key)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("llmsim test authority")
        certificate = (
            _builder(name, name, key, CA_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, SHA256())
        )
        _write(key_path, _key_pem(key), 0o600)
        _write(path, certificate.public_bytes(Encoding.PEM), 0o644)
        return cls(certificate, key)

    def issue(
        self,
        subjects: list[str],
        cert: Path,
        key: Path,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> None:
        """Write a new certificate for these names and addresses, and its key, to two files."""
        private = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _builder(_name(subjects[0]), self._certificate.subject, private, LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(map(_general, subjects)), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, SHA256())
        )
        _write(key, _key_pem(private), 0o600)
        _write(cert, certificate.public_bytes(Encoding.PEM), 0o644)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life - SKEW)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _usage(signs: bool) -> x509.KeyUsage:
    """What a key is for: to sign certificates, or to prove who one is."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(subject: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(subject))
    except ValueError:
        return x509.DNSName(subject)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file as a whole."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "wb") as file:
        file.write(content)
    os.replace(fresh, path)
