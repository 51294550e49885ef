"""What runs where, in three lines, for who starts a server."""

from __future__ import annotations

from llmsim.config import Config
from llmsim.server.attached.ready_file import local_url


def whereabouts(config: Config) -> tuple[str, str, str]:
    """The server's address and its base URLs, its page, and whether that wants a token."""
    server, control = config.server, config.control
    url = local_url(server.host, server.port, server.tls is not None)
    count = "1 worker" if server.workers == 1 else f"{server.workers} workers"
    known = len(config.keys)
    keys = f", {known} API key{'s' if known > 1 else ''}" if known else ""
    serving = f"serving at {url} (base URLs: {url}/v1 for OpenAI, {url} for others), {count}{keys}"
    if not control.enabled:
        return serving, "page: none, control.enabled is false", "token: none is needed"
    token = (
        "token: control.token is required under /llmsim"
        if control.token is not None
        else "token: none is required under /llmsim; control.token (LLMSIM_TOKEN) sets one"
    )
    return serving, f"page: {url}/llmsim/", token
