"""The pytest plugin: the fixtures ``llmsim`` and ``llmsim_server``.

pytest loads it for everybody who has llmsim installed, so it imports nothing of llmsim before a
test wants a fixture. Under pytest-xdist all workers share one server. It lives as long as the
process that controls them, which holds the other end of its standard input: a pipe with a name.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from llmsim.testing.addresses import Addresses
    from llmsim.testing.simulator import Simulator

SHARED: Final = pytest.StashKey[tuple[str, int]]()
"""Of the process that controls others: the folder they share, and the end of the pipe in it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option in pytest.ini and pyproject.toml."""
    parser.addini("llmsim_config", "Configuration file of the fixtures' server.", "paths")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist starts a worker: it is to share the server with the others."""
    if not hasattr(os, "mkfifo"):  # there is no llmsim either
        return
    stash = node.config.stash
    if SHARED not in stash:
        folder = tempfile.mkdtemp(prefix="llmsim-pytest-")
        pipe = os.path.join(folder, "pipe")
        os.mkfifo(pipe)
        stash[SHARED] = folder, os.open(pipe, os.O_RDWR)
    node.workerinput["llmsim_folder"] = stash[SHARED][0]


def pytest_unconfigure(config: pytest.Config) -> None:
    """The tests are over: a server that was shared ends."""
    shared = config.stash.get(SHARED, None)
    if shared is not None:
        os.close(shared[1])
        shutil.rmtree(shared[0], ignore_errors=True)


@pytest.fixture(scope="session")
def llmsim_config(pytestconfig: pytest.Config) -> Mapping[str, Any] | Path:
    """The configuration of the server: what the option ``llmsim_config`` names, or answers that
    take no time and are the same in every run. Override it with a dictionary or a path."""
    files: list[Path] = pytestconfig.getini("llmsim_config")
    if files:
        return files[0]
    return {"latency": {"profile": "instant"}, "seed": 0}


@pytest.fixture(scope="session")
def llmsim_server(
    llmsim_config: Mapping[str, Any] | Path, pytestconfig: pytest.Config
) -> Iterator[Addresses]:
    """A server for the whole session, shared by all workers of pytest-xdist: its addresses."""
    from llmsim.testing import shared_server  # noqa: PLC0415
    from llmsim.testing.server_process import ServerProcess  # noqa: PLC0415

    folder = getattr(pytestconfig, "workerinput", {}).get("llmsim_folder", "")
    if os.path.isdir(folder):  # elsewhere where the worker is on another machine
        yield shared_server.addresses(folder, llmsim_config)
        return
    with ServerProcess(llmsim_config) as server:
        yield server.addresses


@pytest.fixture
def llmsim(
    llmsim_server: Addresses, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Simulator]:
    """What this test makes of the server, in a scope of its own: mocks, failures, and requests that
    were sent. The environment leads the SDKs there."""
    from llmsim.testing.simulator import Simulator  # noqa: PLC0415

    worker = getattr(pytestconfig, "workerinput", {}).get("workerid", "main")
    simulator = Simulator(llmsim_server.scope(f"pytest-{worker}"))
    simulator.forget()
    for name, value in simulator.env().items():
        monkeypatch.setenv(name, value)
    yield simulator
    simulator.forget()
