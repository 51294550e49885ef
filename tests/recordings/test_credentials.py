"""Where credentials are, for all who keep something."""

import pytest

from llmsim.providers.registry import PROVIDERS
from llmsim.recordings import credentials


def test_wherever_keys_are_read_from() -> None:
    for provider in PROVIDERS:
        assert all(map(credentials.in_header, provider.auth.headers))
        assert all(map(credentials.in_parameter, provider.auth.parameters))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Authorization", True),
        ("Cookie", True),
        ("set-cookie", True),
        ("x-amz-security-token", True),
        ("x-my-secret", True),
        ("api_key", True),
        ("monkey", False),
        ("x-request-id", False),
        ("content-type", False),
        ("x-tokens-left", False),
    ],
)
def test_names(name: str, expected: bool) -> None:
    assert credentials.in_header(name) == expected


@pytest.mark.parametrize("name", ["key", "api_key", "access-token", "sig"])
def test_parameters(name: str) -> None:
    assert credentials.in_parameter(name)
    assert not credentials.in_parameter("alt")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Bearer abc", ("Bearer ", "abc")),
        ("basic  x=", ("basic  ", "x=")),
        ("abc", ("", "abc")),
        ("a=1; b=2", ("", "a=1; b=2")),
    ],
)
def test_parts_of_a_value(value: str, expected: tuple[str, str]) -> None:
    assert credentials.parted(value) == expected
