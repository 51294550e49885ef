"""The address of a server, as a user gives it."""

from __future__ import annotations

import pytest

from llmsim.cli.remote import address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost", "http://localhost:8080"),
        ("localhost:9000", "http://localhost:9000"),
        ("http://10.0.0.7", "http://10.0.0.7"),
        ("https://sim.example.com/behind/", "https://sim.example.com/behind"),
        ("[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    assert address(text).geturl() == url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp://host", "neither http nor https"),
        ("http://", "expected http://HOST:PORT"),
        ("http://host/?x=1", "expected http://HOST:PORT"),
        ("http://me:secret@host", "expected http://HOST:PORT"),
        ("host:99999", "out of range"),
        ("host:port", "could not be cast"),
    ],
)
def test_mistaken_addresses(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        address(text)
