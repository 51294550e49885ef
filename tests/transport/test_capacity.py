"""How many connections fit the open files."""

import resource

import pytest

from llmsim.transport.capacity import LEAST, OF_WORKERS, OWN, capacity

OF_ONE = OWN + OF_WORKERS


@pytest.mark.parametrize(
    ("most", "descriptors", "connections", "websockets"),
    [
        (16_384, resource.RLIM_INFINITY, 16_384, 16_384),
        (16_384, 1 << 20, 16_384, 16_384),
        (16_384, 20_000, 16_384, 3568),  # what the others leave
        (16_384, OF_ONE + 16_384, 14_336, 2048),
        (16_384, 300, 221, 31),
        (16_384, 64, 14, 2),
        (16_384, OF_ONE + LEAST, 7, 1),
        (100, 1024, 100, 100),
        (10, 64, 10, 6),
    ],
)
def test_connections_and_websockets_fit(
    most: int, descriptors: int, connections: int, websockets: int
) -> None:
    assert capacity(most, descriptors, 1) == (connections, websockets)


def test_every_worker_takes_some_descriptors_of_each() -> None:
    assert capacity(100, OWN + 12 * OF_WORKERS + 16, 12) == (14, 2)


def test_a_server_with_hardly_any_connection_does_not_start() -> None:
    with pytest.raises(OSError, match=f"at most {OF_ONE + LEAST - 1} open files are allowed"):
        capacity(16_384, OF_ONE + LEAST - 1, 1)
