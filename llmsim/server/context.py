"""What every handler of one worker works with."""

from __future__ import annotations

from dataclasses import dataclass

from llmsim.config import Config
from llmsim.server.answering import Answering
from llmsim.server.books import Books
from llmsim.server.changes import Reread
from llmsim.server.live import Live
from llmsim.server.player import Player
from llmsim.server.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """One worker's parts, built once when it starts."""

    config: Config
    books: Books
    live: Live
    player: Player
    answering: Answering
    store: Store
    reread: Reread
