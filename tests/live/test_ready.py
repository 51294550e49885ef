"""A server is ready when every worker is warm, and alive before."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.watch import read, stats, until
from tests.serving import Server

CONNECTIONS = 2000


def test_a_server_gets_ready(configured: Callable[..., Server]) -> None:
    with configured("server: {warm: [gpt-4o, gpt-4]}\n") as sim:
        status, told = until(lambda: read(sim.port, "/ready"), lambda seen: seen[0] == 200)
        assert (status, told) == (200, {"status": "ready", "workers": 2})


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's table of descriptors")
def test_workers_have_room_for_their_connections_at_once(
    configured: Callable[..., Server],
) -> None:
    with configured(f"server: {{max_connections: {CONNECTIONS}}}\n") as sim:
        for worker in stats(sim.port)["workers"]:
            status = Path(f"/proc/{worker['pid']}/status").read_text()
            assert int(status.partition("FDSize:")[2].split()[0]) > CONNECTIONS
