"""TLS of the commands that talk to a server."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import click
import pytest

from llmsim.cli import trust
from tests.certificates import client_pair, server_pair
from tests.cli.conftest import Run


def test_the_system_decides_unless_files_are_named(tmp_path: Path) -> None:
    by_default = trust.context(None, False, None, None)
    assert (by_default.check_hostname, by_default.verify_mode) == (True, ssl.CERT_REQUIRED)
    pair = client_pair(tmp_path)
    own = trust.context(str(tmp_path / "ca.pem"), False, *pair)
    assert [dict(one[0] for one in ca["subject"]) for ca in own.get_ca_certs()] == [
        {"commonName": "llmsim test authority"}
    ]
    assert own.verify_mode == ssl.CERT_REQUIRED


def test_insecure_checks_nothing() -> None:
    context = trust.context(None, True, None, None)
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_NONE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", False, None, None), "--ca: No such file or directory"),
        (("{folder}/server.key", False, None, None), "--ca: cannot be used"),
        ((None, False, "nowhere", None), "--cert and --key: No such file or directory"),
        ((None, False, "{folder}/server.pem", "{folder}/ca.key"), "KEY_VALUES_MISMATCH"),
        ((None, False, None, "{folder}/server.key"), "--key needs --cert"),
    ],
)
def test_mistakes(
    arguments: tuple[str | None, bool, str | None, str | None], message: str, tmp_path: Path
) -> None:
    server_pair(tmp_path)
    ca, insecure, cert, key = (
        one.format(folder=tmp_path) if isinstance(one, str) else one for one in arguments
    )
    with pytest.raises(click.ClickException, match=message):
        trust.context(ca, bool(insecure), cert, key)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tlsv13 alert CERTIFICATE_REQUIRED", "the server asks for a certificate"),
        ("something else", "TLS: "),
    ],
)
def test_reasons(text: str, message: str) -> None:
    assert trust.why(ssl.SSLError(1, text)).startswith(message)


def test_a_plain_server_is_not_asked_for_certificates(run: Run) -> None:
    """Files that are only for TLS are not even read."""
    result = run("ctl", "--url", "http://127.0.0.1:1", "--ca", "/nowhere", "get")
    assert result.exit_code == 1
    assert "Connection refused" in result.stderr


def test_the_variable_for_clients_is_none_of_the_servers(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("seed: 1")
    assert run("check", str(path), LLMSIM_CA="ca.pem", LLMSIM_URL="https://x").exit_code == 0


def test_check_warns_of_a_certificate_that_has_expired(run: Run, tmp_path: Path) -> None:
    from tests.certificates import odd_pair

    pair = odd_pair(tmp_path, begins=-2, ends=-1)
    path = tmp_path / "sim.yaml"
    path.write_text(f"server: {{tls: {{cert: {pair.cert}, key: {pair.key}}}}}")
    result = run("check", str(path))
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: server.tls.cert: has expired on ")


def test_the_dashboard_beside_a_server_has_no_certificate(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["llmsim.cli.serve"], "terminal", lambda: True)
    client_pair(tmp_path)
    path = tmp_path / "sim.yaml"
    path.write_text("server: {tls: {self_signed: true, client_ca: ca.pem}}")
    result = run("serve", "--tui", "--config", str(path))
    assert result.exit_code == 2
    assert "llmsim top --cert" in result.stderr
