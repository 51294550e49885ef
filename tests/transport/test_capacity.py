"""How many connections fit the open files."""

import resource

import pytest

from llmsim.transport.capacity import LEAST, OWN, capacity


@pytest.mark.parametrize(
    ("most", "descriptors", "connections", "websockets"),
    [
        (16_384, resource.RLIM_INFINITY, 16_384, 16_384),
        (16_384, 1 << 20, 16_384, 16_384),
        (16_384, 20_000, 16_384, 3568),  # what the others leave
        (16_384, OWN + 16_384, 14_336, 2048),
        (16_384, 300, 221, 31),
        (16_384, 64, 14, 2),
        (16_384, OWN + LEAST, 7, 1),
        (100, 1024, 100, 100),
        (10, 64, 10, 6),
    ],
)
def test_connections_and_websockets_fit(
    most: int, descriptors: int, connections: int, websockets: int
) -> None:
    assert capacity(most, descriptors) == (connections, websockets)


def test_a_server_with_hardly_any_connection_does_not_start() -> None:
    with pytest.raises(OSError, match=f"at most {OWN + LEAST - 1} open files are allowed"):
        capacity(16_384, OWN + LEAST - 1)
