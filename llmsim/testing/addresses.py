"""Where the clients of a server find it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from llmsim.testing.client import ControlClient

ANY_KEY: Final = "llmsim"
"""The API key of clients where the server takes any."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The base URLs of a server, or of one scope of it, as SDKs want them.

    ``root`` is the server's own, without a slash at its end, ``scope_name`` the scope; None is the
    whole server. ``token`` is what its control API wants.
    """

    root: str
    api_key: str = ANY_KEY
    token: str | None = None
    scope_name: str | None = None

    @property
    def url(self) -> str:
        """The address, such as ``http://127.0.0.1:40417``."""
        if self.scope_name is None:
            return self.root
        return f"{self.root}/scope/{quote(self.scope_name, safe='')}"

    @property
    def openai_url(self) -> str:
        """The base URL of OpenAI's SDKs."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base URL of Anthropic's SDKs."""
        return self.url

    @property
    def gemini_url(self) -> str:
        """The base URL of Google's SDKs."""
        return self.url

    def env(self) -> dict[str, str]:
        """The environment variables by which the SDKs of all three find the server."""
        return {
            "OPENAI_BASE_URL": self.openai_url,
            "OPENAI_API_KEY": self.api_key,
            "ANTHROPIC_BASE_URL": self.anthropic_url,
            "ANTHROPIC_API_KEY": self.api_key,
            "GOOGLE_GEMINI_BASE_URL": self.gemini_url,
            "GOOGLE_API_KEY": self.api_key,
            "GEMINI_API_KEY": self.api_key,
        }

    def scope(self, name: str) -> Addresses:
        """The addresses of a scope of the server: what is asked there sees nothing of others, and
        nobody else of it."""
        return replace(self, scope_name=name)

    def client(self) -> ControlClient:
        """A client of the control API, for the whole server or this scope of it."""
        return ControlClient(self.root, token=self.token, scope=self.scope_name)
