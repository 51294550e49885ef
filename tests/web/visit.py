"""One look at the dashboard, and all that the browser asked for and complained about."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Scheme: TypeAlias = Literal["light", "dark"]

DESKTOP = (1360, 900)
PHONE = (360, 740)
WIDE = (1440, 900)
SMALL = (390, 844)


class Visit:
    """A page of its own, with no memory of others."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        size: tuple[int, int] = DESKTOP,
        scheme: Scheme = "light",
    ) -> None:
        self.url = url
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
        )
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self.complaints.append(message.text))

    def open(self) -> None:
        """Load the page and wait for its first numbers."""
        self.page.goto(f"{self.url}/llmsim/")
        self.state("live")

    def close(self) -> None:
        self.context.close()

    def state(self, name: str) -> None:
        """Wait until the connection is that."""
        self.page.wait_for_selector(f"#connection[data-state={name}]", timeout=30_000)

    def elsewhere(self) -> list[str]:
        """What was asked of others than the server."""
        return [url for url in self.asked if not url.startswith((self.url + "/", "data:"))]

    def module(self, name: str, body: str, arg: Any = None) -> Any:
        """What a function says that gets a module of the page and something else.

        ``body`` is JavaScript with ``it`` (the module) and ``arg`` in scope.
        """
        return self.page.evaluate(
            f"async (arg) => {{ const it = await import('/llmsim/web/{name}'); {body} }}", arg
        )


def chat(url: str, **fields: Any) -> None:
    """Ask the server something and read the answer."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]} | fields
    asked = urllib.request.Request(
        f"{url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as response:
        response.read()


def asked(url: str, path: str, method: str = "GET") -> Any:
    """What the control API answers."""
    request = urllib.request.Request(url + path, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)
