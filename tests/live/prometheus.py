"""A real Prometheus that scrapes one server, and what it answers."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.live.watch import LIMIT, until
from tests.serving import free_port

EVERY = "200ms"


class Prometheus:
    """One that runs."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def ready(self) -> bool:
        with suppress(OSError), urlopen(f"{self._url}/-/ready", timeout=LIMIT) as response:
            return bool(response.status == 200)
        return False

    def query(self, text: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of an instant vector."""
        url = f"{self._url}/api/v1/query?{urlencode({'query': text})}"
        try:
            with urlopen(url, timeout=LIMIT) as response:
                told: Any = json.load(response)
        except HTTPError as error:
            raise AssertionError(f"{text}: {error.read().decode()}") from None
        return [(one["metric"], float(one["value"][1])) for one in told["data"]["result"]]

    def one(self, text: str) -> float:
        """The value of the only series."""
        ((_, value),) = self.query(text)
        return value

    def by(self, label: str, text: str) -> dict[str, float]:
        """Values by one label."""
        return {labels.get(label, ""): value for labels, value in self.query(text)}

    def caught_up(self) -> None:
        """Wait for a scrape that began after now."""
        now = time.time()
        until(
            lambda: self.query("timestamp(llmsim_active_requests)"),
            lambda seen: seen and seen[0][1] > now,
        )


@contextmanager
def scraping(port: int, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the server on that port. Skips the test where there is none."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed")
    config = folder / "prometheus.yaml"
    target = {"targets": [f"127.0.0.1:{port}"]}
    job = {"job_name": "llmsim", "static_configs": [target]}
    every = {"scrape_interval": EVERY, "scrape_timeout": EVERY}
    config.write_text(json.dumps({"global": every, "scrape_configs": [job]}))
    listen = free_port()
    command = [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{listen}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        made = Prometheus(listen)
        until(made.ready, bool)
        yield made
    finally:
        process.terminate()
        process.wait(LIMIT)
