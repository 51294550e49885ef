"""A path that names a scope counts as a header, and the header counts more."""

import pytest

from llmsim.transport.rsgi import ScopedHeaders


@pytest.mark.parametrize(
    ("sent", "scope"), [({}, "path"), ({"x-llmsim-scope": "header"}, "header")]
)
def test_there_is_one_header_for_it(sent: dict[str, str], scope: str) -> None:
    headers = ScopedHeaders({"host": "sim", **sent}, "path")
    assert headers.get("x-llmsim-scope") == scope
    assert headers.get("host") == "sim"
    assert headers.get("accept") is None
    assert headers.keys() == ["host", "x-llmsim-scope"]
    assert headers.items() == [("host", "sim"), ("x-llmsim-scope", scope)]
    assert "x-llmsim-scope" in headers
    assert "accept" not in headers
