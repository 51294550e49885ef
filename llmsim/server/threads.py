"""The memory behind ``/v1/messages``: threads, whose turns are in the journal."""

from __future__ import annotations

from llmsim.dialects import anthropic_threads
from llmsim.dialects.anthropic import Anthropic
from llmsim.dialects.anthropic_threads import Turn, lost
from llmsim.exchange import Ask, Stamp
from llmsim.server.books import Books

MOST_TURNS = 1000


class Threads:
    """Continues threads that any worker began."""

    def __init__(self, dialect: Anthropic, books: Books) -> None:
        self._dialect = dialect
        self._books = books

    async def recall(self, ask: Ask) -> Ask:
        """The request with the turns before it. Raises BadRequest if they are not remembered."""
        name = anthropic_threads.previous(ask.wire)
        return ask if name is None else self._dialect.continued(ask, self._turns(name))

    async def keep(self, ask: Ask, body: bytes, answer: bytes, stamp: Stamp) -> None:
        """Nothing: the journal keeps what is asked to be stored."""

    def _turns(self, name: str) -> list[Turn]:
        """The turns up to that message, oldest first."""
        turns: list[Turn] = []
        before: str | None = name
        while before is not None:
            entry = self._books.entry(before)
            if entry is None or not entry.answer or len(turns) == MOST_TURNS:
                raise lost(name)
            turns.append(Turn(entry.body, entry.answer))
            before = anthropic_threads.previous(anthropic_threads.remembered(entry.body))
        turns.reverse()
        return turns
