from types import SimpleNamespace
from typing import Any

import pytest

from llmsim.transport.port import origin


def port(scheme: str = "http", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(scheme=scheme, header=named.get)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (port(host="localhost:8080"), "http://localhost:8080"),
        (port("https", host="sim.example"), "https://sim.example"),
        (port(host="pod:8080", x_forwarded_host="api.example"), "http://api.example"),
        (port(host="api.example", x_forwarded_proto="https"), "https://api.example"),
        (
            port(host="pod", x_forwarded_host="a.example, b", x_forwarded_proto="https,http"),
            "https://a.example",
        ),
        (port(), "http://localhost"),
    ],
)
def test_the_host_the_client_used(port: Any, expected: str) -> None:
    assert origin(port) == expected
