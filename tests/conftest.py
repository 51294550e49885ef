"""Fixtures that give tests a live server."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import settings

from tests.serving import Server

# How long one example takes says nothing on a machine that others use too.
settings.register_profile("llmsim", deadline=None)
settings.load_profile("llmsim")


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Server]:
    """Start a server with these arguments of `llmsim serve`: `with serve("--seed", "7") as sim:`.

    A module that shares one wraps it in a fixture of its own: `with serve(...) as sim: yield sim`.
    """
    logs = tmp_path_factory.mktemp("serve")
    numbers = count()

    def start(*args: str) -> Server:
        return Server(args, logs / f"{next(numbers)}.log")

    return start


@pytest.fixture(scope="session")
def server(serve: Callable[..., Server]) -> Iterator[str]:
    """Base URL of one server for the whole session: two workers, fast latency."""
    with serve("--workers", "2", "--latency", "fast") as sim:
        yield sim.url
