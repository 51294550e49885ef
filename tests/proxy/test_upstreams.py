"""Where requests go, and where they may not."""

import pytest

from llmsim.proxy.upstreams import AllowedAddresses, Upstream, UpstreamError, by_provider, named


def upstream(text: str) -> Upstream:
    (one,) = by_provider([named(text)]).values()
    return one


@pytest.mark.parametrize(
    ("url", "path", "query", "expected"),
    [
        ("https://api.openai.com", "/v1/x", "", "https://api.openai.com/v1/x"),
        ("https://api.openai.com/v1/", "/v1/x", "a=b", "https://api.openai.com/v1/x?a=b"),
        ("http://h/base", "/v1/x", "", "http://h/base/v1/x"),
        ("http://h/v1beta", "/v1beta/models/m:y", "", "http://h/v1beta/models/m:y"),
        ("http://h/v1", "/v1beta/x", "", "http://h/v1/v1beta/x"),
    ],
)
def test_targets(url: str, path: str, query: str, expected: str) -> None:
    assert upstream(f"openai={url}").target(path, query) == expected


@pytest.mark.parametrize(
    "text",
    ["openai", "none=http://h", "openai=", "openai=ftp://h", "openai=http://", "openai=http://h:0",
     "openai=http://h:x", "openai=http://u:p@h", "openai=http://h?a", "=http://h"],
)  # fmt: skip
def test_what_is_no_upstream(text: str) -> None:
    with pytest.raises(UpstreamError, match=text.replace("?", r"\?")):
        upstream(text)


def test_one_for_each_provider() -> None:
    found = by_provider([("openai", "http://a"), ("gemini", "http://b")])
    assert found == {
        "openai": Upstream("openai", "http://a"),
        "gemini": Upstream("gemini", "http://b"),
    }
    with pytest.raises(UpstreamError, match="another upstream already"):
        by_provider([("openai", "http://a"), ("openai", "http://b")])


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:80", "http://10.1.2.3", "http://169.254.169.254/latest", "http://[::1]",
     "http://[::ffff:10.0.0.1]", "http://localhost", "http://0.0.0.0"],
)  # fmt: skip
def test_private_addresses_are_not_called(url: str) -> None:
    with pytest.raises(UpstreamError, match="which is private"):
        AllowedAddresses().check(url)


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("10.0.0.0/8", "http://10.1.2.3"),
        ("localhost", "http://localhost:1"),
        ("::1", "http://[::1]"),
        ("10.0.0.0/8", "http://[::ffff:10.0.0.1]"),
    ],
)
def test_unless_they_are_allowed(allow: str, url: str) -> None:
    AllowedAddresses([allow]).check(url)
    with pytest.raises(UpstreamError):
        AllowedAddresses(["192.168.0.0/16"]).check(url)


def test_public_addresses_are_allowed() -> None:
    AllowedAddresses().check("http://8.8.8.8")


@pytest.mark.parametrize("name", ["10.0.0.0/99", ""])
def test_what_cannot_be_allowed(name: str) -> None:
    with pytest.raises(UpstreamError, match="is no host, address or network"):
        AllowedAddresses([name])


def test_a_name_without_an_address_is_one_line() -> None:
    with pytest.raises(UpstreamError, match=r"nowhere\.invalid: "):
        AllowedAddresses().check("http://nowhere.invalid")
