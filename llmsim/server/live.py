"""The configuration in effect, and all that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from llmsim.config import Config
from llmsim.server.books import Books
from llmsim.server.control import Control, Step
from llmsim.server.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Regime:
    """What follows from one state of the configuration, built together so that a request sees
    all of it or nothing. ``control`` is None where nothing interferes with requests."""

    config: Config
    rulebook: Rulebook
    control: Control | None


class Live:
    """Gives each request the regime in effect when it arrived."""

    def __init__(self, config: Config, books: Books) -> None:
        self._books = books
        self.regime = self._made(config)

    def _made(self, config: Config) -> Regime:
        steps: list[Step] = []
        return Regime(config, Rulebook(config), Control(steps) if steps else None)
