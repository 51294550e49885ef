"""What becomes of workers when certificates change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmsim.config.settings import TLS
from llmsim.server.tls.files import TLSFiles
from llmsim.server.tls.renewal import Renewal
from tests.certificates import Pair, odd_pair, serial, server_pair


class FakeWorkers:
    """Workers that are replaced, or cannot be. ``started_with`` are the certificates they had."""

    def __init__(self, able: bool = True) -> None:
        self.able = able
        self.ssl_ctx: tuple[Any, ...] = ()
        self.started_with: list[str] = []

    def certificate(self) -> str:
        return serial(Path(self.ssl_ctx[1]).read_text())

    def replace_workers(self, ready: Callable[[int], bool]) -> bool:
        self.started_with.append(self.certificate())
        return self.able


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return server_pair(tmp_path)


def renewed(pair: Pair, workers: FakeWorkers) -> Renewal:
    return Renewal(TLSFiles(TLS(*pair)), workers, lambda pid: True)


def now(pair: Pair) -> str:
    return serial(Path(pair.cert).read_text())


def test_new_files_make_new_workers(pair: Pair, tmp_path: Path) -> None:
    workers = FakeWorkers()
    renewal = renewed(pair, workers)
    first = workers.ssl_ctx
    assert workers.certificate() == now(pair)
    server_pair(tmp_path)
    renewal.renew()
    assert workers.started_with == [workers.certificate()] == [now(pair)]
    assert not Path(first[2]).exists()


def test_the_same_files_change_nothing(pair: Pair) -> None:
    workers = FakeWorkers()
    renewal = renewed(pair, workers)
    Path(pair.cert).touch()
    renewal.renew()
    assert workers.started_with == []


def test_files_of_no_use_change_nothing(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workers = FakeWorkers()
    renewal = renewed(pair, workers)
    before = now(pair)
    Path(pair.key).write_bytes(Path(server_pair(tmp_path, "other").key).read_bytes())
    with caplog.at_level(logging.ERROR, "llmsim"):
        renewal.renew()
    assert caplog.messages == [
        "server.tls.key: is not the private key of the certificate in cert",
        "certificates not reloaded: those in effect stay",
    ]
    assert workers.started_with == []
    assert workers.certificate() == before


def test_where_no_worker_starts_the_certificates_before_stay(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workers = FakeWorkers(able=False)
    renewal = renewed(pair, workers)
    before = now(pair)
    server_pair(tmp_path)
    with caplog.at_level(logging.ERROR, "llmsim"):
        renewal.renew()
    assert caplog.messages[-1].endswith("certificates not reloaded: those in effect stay")
    assert workers.started_with == [now(pair)]
    assert workers.certificate() == before
    workers.able = True
    renewal.renew()  # once more
    assert workers.certificate() == now(pair)


def test_a_certificate_that_has_expired_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workers = FakeWorkers()
    pair = odd_pair(tmp_path, begins=-2, ends=-1)
    with caplog.at_level(logging.WARNING, "llmsim"):
        renewed(pair, workers)
    assert [one.split(" on ")[0] for one in caplog.messages] == ["server.tls.cert: has expired"]
    assert workers.certificate() == now(pair)
