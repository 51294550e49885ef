"""Servers for the tests of this folder, one a module: its counts are then the module's own."""

from collections.abc import Callable, Iterator
from itertools import count
from ssl import SSLContext

import pytest

from tests.serving import Server


@pytest.fixture(scope="session")
def configured(
    serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Server]:
    """Start a server of two workers with this configuration: `with configured("…") as sim:`."""
    folder = tmp_path_factory.mktemp("configured")
    numbers = count()

    def start(text: str, *args: str, tls: SSLContext | None = None) -> Server:
        file = folder / f"{next(numbers)}.yaml"
        file.write_text(text, encoding="utf-8")
        return serve("--workers", "2", "--config", str(file), *args, tls=tls)

    return start


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server]) -> Iterator[Server]:
    with serve("--workers", "2", "--latency", "fast") as server:
        yield server
