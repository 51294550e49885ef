"""The copies of certificates that workers are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmsim.config.certificates import CertificateError
from llmsim.config.settings import TLS
from llmsim.server.tls.files import TLSFiles
from tests.certificates import client_pair, server_pair


def test_workers_are_given_copies(tmp_path: Path) -> None:
    pair = server_pair(tmp_path)
    files = TLSFiles(TLS(*pair, client_ca=str(tmp_path / "ca.pem"), min_version="1.3"))
    spoken, cert, key, password, protocol, roots, revoked, verify = files.current.context()
    assert (spoken, password, protocol, revoked, verify) == (True, None, "tls1.3", [], True)
    before = [Path(path).read_bytes() for path in (*pair, tmp_path / "ca.pem")]
    server_pair(tmp_path)
    assert [Path(path).read_bytes() for path in (cert, key, roots)] == before


def test_clients_need_no_certificate_unless_there_are_roots(tmp_path: Path) -> None:
    context = TLSFiles(TLS(*server_pair(tmp_path))).current.context()
    assert context[4:] == ("tls1.2", None, [], False)


def test_files_that_have_not_changed(tmp_path: Path) -> None:
    files = TLSFiles(TLS(*server_pair(tmp_path)))
    assert files.changed() is None
    server_pair(tmp_path)
    fresh = files.changed()
    assert fresh is not None
    assert fresh.certificate.serial != files.current.certificate.serial


def test_roots_of_clients_are_files_too(tmp_path: Path) -> None:
    client_pair(tmp_path / "theirs")
    roots = tmp_path / "theirs/ca.pem"
    files = TLSFiles(TLS(*server_pair(tmp_path), client_ca=str(roots)))
    roots.write_bytes((tmp_path / "ca.pem").read_bytes())
    assert files.changed() is not None


def test_new_files_of_no_use(tmp_path: Path) -> None:
    pair = server_pair(tmp_path)
    files = TLSFiles(TLS(*pair))
    Path(pair.key).write_text("half a k")
    with pytest.raises(CertificateError) as caught:
        files.changed()
    assert caught.value.reasons == {"key": "has no private key in PEM"}


def test_copies_that_are_dropped_are_gone(tmp_path: Path) -> None:
    copies = TLSFiles(TLS(*server_pair(tmp_path))).current
    cert = copies.context()[1]
    copies.drop()
    assert not Path(cert).exists()
