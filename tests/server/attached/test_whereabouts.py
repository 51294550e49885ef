"""What a server says of itself when it starts."""

import pytest

from llmsim.config import Config, Control, Server
from llmsim.core.api_keys import ApiKey
from llmsim.server.attached.whereabouts import whereabouts

URL = "http://127.0.0.1:8080"
HERE = Server(host="127.0.0.1", port=8080, workers=2)


@pytest.mark.parametrize(
    ("config", "serving", "page", "token"),
    [
        (Config(HERE), "2 workers", f"page: {URL}/llmsim/", "token: none is required"),
        (
            Config(HERE, control=Control(token="t"), keys=(ApiKey("k"),)),
            "2 workers, 1 API key",
            f"page: {URL}/llmsim/",
            "token: control.token is required",
        ),
        (Config(HERE, control=Control(enabled=False)), "", "page: none", "token: none is needed"),
    ],
)
def test_three_lines(config: Config, serving: str, page: str, token: str) -> None:
    lines = whereabouts(config)
    assert lines[0].startswith(f"serving at {URL} ")
    assert lines[0].endswith(serving)
    assert lines[1].startswith(page)
    assert lines[2].startswith(token)
