"""Where the clients of a server find it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

ANY_KEY = "llmsim"
"""The API key of clients where the server takes any."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The base URLs of a server, or of one scope of it, as SDKs want them.

    ``url`` is without a slash at its end.
    """

    url: str
    api_key: str = ANY_KEY

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
        """The addresses of a scope of the server."""
        return Addresses(f"{self.url}/scope/{quote(name, safe='')}", self.api_key)
