"""What all tests share: the marks of their folders, how hard properties are tried, and servers."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from ssl import SSLContext

import pytest
from hypothesis import settings

from tests.effort import PROFILE
from tests.serving import Server

TIMED = {"bench", "loadtests"}
"""The folders whose tests measure how fast something is."""

LIVE = {"bench", "clients", "deploy", "live", "loadtests", "sdk", "web"}
"""The folders whose tests start servers, browsers, Locust, npm, promtool and the like."""

settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder; one that uses a server is live wherever it is.

    A live test is tried once more when it fails: it talks to other processes against the clock, and
    a machine that stands still for a second fails it, while a fault of ours fails it twice. The
    summary names those that were tried again.
    """
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        live = folder in LIVE or "serve" in getattr(item, "fixturenames", ())
        item.add_marker("live" if live else "unit")
        if live:
            item.add_marker(pytest.mark.flaky(reruns=1))
        if folder in TIMED:
            item.add_marker("timed")


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Server]:
    """Start a server with these arguments of `llmsim serve`: `with serve("--seed", "7") as sim:`.

    A module that shares one wraps it in a fixture of its own: `with serve(...) as sim: yield sim`.
    """
    logs = tmp_path_factory.mktemp("serve")
    numbers = count()

    def start(*args: str, tls: SSLContext | None = None) -> Server:
        return Server(args, logs / f"{next(numbers)}.log", tls=tls)

    return start


@pytest.fixture(scope="session")
def server(serve: Callable[..., Server]) -> Iterator[str]:
    """Base URL of one server for the whole session: two workers, fast latency."""
    with serve("--workers", "2", "--latency", "fast") as sim:
        yield sim.url
