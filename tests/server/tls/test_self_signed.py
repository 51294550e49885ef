"""Certificates made for tests."""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from llmsim.config.certificates import examine
from llmsim.config.settings import TLS, Server
from llmsim.server.tls import self_signed
from llmsim.server.tls.self_signed import CA, make, names


def certificate(path: str | Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(path).read_bytes())


@pytest.mark.parametrize(
    ("server", "further"),
    [
        (Server(), []),
        (Server(host="::"), []),
        (Server(host="127.0.0.1"), []),
        (Server(host="10.1.2.3"), ["10.1.2.3"]),
        (
            Server(allowed_hosts=("sim.example", "*.sim.example", "s*.example", "[ab].example")),
            ["sim.example", "*.sim.example"],
        ),
    ],
)
def test_names(server: Server, further: list[str]) -> None:
    assert names(server, "box") == ["localhost", "127.0.0.1", "::1", "box", *further]


def test_a_certificate_for_this_machine(tmp_path: Path) -> None:
    folder = tmp_path / "new/folder"
    made = make(Server(tls=TLS(self_signed="", client_ca="roots", min_version="1.3")), folder)
    assert made == TLS(
        str(folder / "server.pem"), str(folder / "server.key"), "roots", min_version="1.3"
    )
    assert made.cert is not None
    leaf = certificate(made.cert)
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost"} < set(found.get_values_for_type(x509.DNSName))
    assert set(map(str, found.get_values_for_type(x509.IPAddress))) == {"127.0.0.1", "::1"}
    leaf.verify_directly_issued_by(certificate(folder / CA))
    assert examine(TLS(made.cert, made.key)) is not None


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    make(Server(tls=TLS(self_signed="")), tmp_path)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {
        **dict.fromkeys(("ca.key", "server.key"), oct(0o600)),
        **dict.fromkeys(("ca.pem", "server.pem"), oct(0o644 & ~umask())),
    }


def umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


def test_the_authority_stays_and_certificates_are_new(tmp_path: Path) -> None:
    server = Server(tls=TLS(self_signed=""))
    make(server, tmp_path)
    roots, leaf = (tmp_path / CA).read_bytes(), (tmp_path / "server.pem").read_bytes()
    make(server, tmp_path)
    assert (tmp_path / CA).read_bytes() == roots
    assert (tmp_path / "server.pem").read_bytes() != leaf


def test_an_authority_that_is_about_to_expire_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tls=TLS(self_signed=""))
    with monkeypatch.context() as patched:
        patched.setattr(self_signed, "CA_LIFE", timedelta(days=300))
        make(server, tmp_path)
    soon = certificate(tmp_path / CA).not_valid_after_utc
    assert soon < datetime.now(UTC) + self_signed.LIFE
    make(server, tmp_path)
    assert certificate(tmp_path / CA).not_valid_after_utc > soon


def test_an_authority_that_is_none(tmp_path: Path) -> None:
    for name in (CA, "ca.key"):
        (tmp_path / name).write_text("nothing")
    with pytest.raises(ValueError):  # noqa: PT011  cryptography's own
        make(Server(tls=TLS(self_signed="")), tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):  # noqa: PT011  the system's own
        make(Server(tls=TLS(self_signed="")), tmp_path / "file")


def test_addresses_are_no_names() -> None:
    general = self_signed._general("::1")
    assert isinstance(general, x509.IPAddress)
    assert general.value == ipaddress.ip_address("::1")
