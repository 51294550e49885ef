"""``server.tls``: how it is written, and what is said of files that are of no use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from llmsim import config
from llmsim.config import Config
from llmsim.config.certificates import examine
from llmsim.config.settings import TLS
from llmsim.core.errors import ConfigError
from tests.certificates import Pair, client_pair, odd_pair, serial, server_pair

KEYS = "cert, key, client_ca, min_version, self_signed"
FORMS = f"must be self-signed, self-signed:FOLDER or a mapping with the keys {KEYS}"


def read(text: str, folder: Path, **flags: object) -> Config:
    path = folder / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(str(path), {}, flags)


def faults(text: str, folder: Path) -> list[tuple[int | None, str, str]]:
    with pytest.raises(ConfigError) as caught:
        read(text, folder)
    return [(fault.line, fault.key, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None),
        ("self-signed", TLS(self_signed="")),
        ("self-signed:/tmp/ca", TLS(self_signed="/tmp/ca")),
        ("{self_signed: true}", TLS(self_signed="")),
        ("{self_signed: yes, min_version: 1.3}", TLS(self_signed="", min_version="1.3")),
        ("{self_signed: /tmp/ca, min_version: '1.2'}", TLS(self_signed="/tmp/ca")),
    ],
)
def test_forms(text: str, expected: TLS | None, tmp_path: Path) -> None:
    first = read(f"server: {{tls: {text}}}", tmp_path)
    assert first.server.tls == expected
    assert config.effective(first)["server"] == config.effective(first)["server"]


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    server_pair(tmp_path / "inner")
    text = "server:\n  tls: {cert: inner/server.pem, key: inner/server.key, self_signed: false}"
    inner = tmp_path / "inner"
    assert read(text, tmp_path).server.tls == TLS(
        str(inner / "server.pem"), str(inner / "server.key")
    )
    folder = read("server: {tls: {self_signed: here}}", tmp_path).server.tls
    assert folder == TLS(self_signed=str(tmp_path / "here"))
    flagged = read("server: {tls: {self_signed: here}}", tmp_path, tls="self-signed:there")
    assert flagged.server.tls == TLS(self_signed="there")


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("selfsigned", "", f"{FORMS}, not 'selfsigned' (did you mean self-signed?)"),
        ("7", "", f"must be a mapping with the keys {KEYS}, not 7"),
        ("'self-signed:'", "", "self-signed: needs a folder after it"),
        ("{min_version: 1.1}", ".min_version", "must be 1.2 or 1.3, not 1.1 (did you mean 1.3?)"),
        ("{self_signed: 7}", ".self_signed", 'must be true or a path, not 7 (quote it: "7")'),
        ("{}", ".cert", "is missing: TLS needs cert and key, or self_signed"),
        ("{crt: x}", ".crt", f"unknown key (did you mean cert?); valid are {KEYS}"),
        (
            "{self_signed: true, cert: x}",
            ".cert",
            "is not used: self_signed makes a certificate and its key",
        ),
    ],
)
def test_mistakes(text: str, key: str, message: str, tmp_path: Path) -> None:
    assert (1, f"server.tls{key}", message) in faults(f"server: {{tls: {text}}}", tmp_path)


def test_without_the_extra_there_are_no_self_signed_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmsim.config.tls_files.find_spec", lambda name: None)
    ((line, key, message),) = faults("server:\n  tls: self-signed", tmp_path)
    assert (line, key) == (2, "server.tls.self_signed")
    assert message.endswith("pip install 'llmsim[tls]'")


def unreadable(folder: Path) -> Pair:
    return Pair(str(folder), str(folder))


def strangers(folder: Path) -> Pair:
    return Pair(server_pair(folder, "one").cert, server_pair(folder, "two").key)


def swapped(folder: Path) -> Pair:
    pair = server_pair(folder)
    return Pair(pair.key, pair.cert)


def no_key(folder: Path) -> Pair:
    pair = server_pair(folder)
    return Pair(pair.cert, pair.cert)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda folder: Pair(str(folder / "a"), str(folder / "b")),
            {"cert": "there is no file {folder}/a", "key": "there is no file {folder}/b"},
        ),
        (unreadable, dict.fromkeys(("cert", "key"), "{folder} cannot be read: Is a directory")),
        (swapped, {"cert": "has no certificate in PEM"}),
        (no_key, {"key": "has no private key in PEM"}),
        (strangers, {"key": "is not the private key of the certificate in cert"}),
        (
            lambda folder: odd_pair(folder, password=b"secret"),
            {"key": "is encrypted: openssl pkey -in KEY -out FILE makes a file that is not"},
        ),
        (
            lambda folder: odd_pair(folder, curve=ec.SECP521R1()),
            {"key": "is of a kind that is not supported: P-521; use RSA, P-256, P-384 or Ed25519"},
        ),
    ],
)
def test_files_that_are_of_no_use(make, expected, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pair: Pair = make(tmp_path)
    text = f"server:\n  tls:\n    cert: {pair.cert}\n    key: {pair.key}\n"
    assert faults(text, tmp_path) == [
        ({"cert": 3, "key": 4}[key], f"server.tls.{key}", message.format(folder=tmp_path))
        for key, message in expected.items()
    ]


def test_roots_of_clients_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    text = "server:\n  tls:\n    self_signed: true\n    client_ca: empty.pem\n"
    expected = [(4, "server.tls.client_ca", "has no certificate in PEM")]
    assert faults(text, tmp_path) == expected
    client_pair(tmp_path)
    read(text.replace("empty.pem", "ca.pem"), tmp_path)


def test_a_change_of_other_sections_reads_no_files(tmp_path: Path) -> None:
    """The control API's changes do not depend on them."""
    from llmsim.config import change
    from llmsim.config.nodes import Place, tree

    pair = server_pair(tmp_path)
    before = read(f"server: {{tls: {{cert: {pair.cert}, key: {pair.key}}}}}", tmp_path)
    Path(pair.key).unlink()
    assert change.patched(before, "seed", tree(7, Place("here"))).seed == 7


def test_a_certificate_that_is_good(tmp_path: Path) -> None:
    pair = server_pair(tmp_path)
    found = examine(TLS(*pair))
    assert found is not None
    assert found.warning() is None
    assert found.serial == serial(Path(pair.cert).read_text())
    assert found.warning(found.ends + 1) is not None


@pytest.mark.parametrize(
    ("begins", "ends", "warning"), [(-2, -1, "has expired on "), (1, 2, "is not valid before ")]
)
def test_a_certificate_whose_time_is_not_now(
    begins: int, ends: int, warning: str, tmp_path: Path
) -> None:
    found = examine(TLS(*odd_pair(tmp_path, begins=begins, ends=ends)))
    assert found is not None
    assert (found.warning() or "").startswith(warning)


def test_a_file_with_the_chain_and_more(tmp_path: Path) -> None:
    """Text around the certificates, as openssl writes it, and the certificate's own root."""
    pair = server_pair(tmp_path)
    cert = Path(pair.cert)
    cert.write_text(f"subject: me\n{cert.read_text()}\nissuer\n{(tmp_path / 'ca.pem').read_text()}")
    found = examine(TLS(*pair))
    assert found is not None
    assert found.serial == serial(cert.read_text())


def test_plain_servers_do_not_load_tls() -> None:
    import subprocess

    code = "import sys; from llmsim import config; config.load(None, {}, {}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ssl" not in done.stdout.split()
