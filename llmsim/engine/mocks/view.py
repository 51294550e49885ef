"""A request as mocks look at it: each part is worked out when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from llmsim.core import Message, Request
from llmsim.core.conversation import results
from llmsim.core.mocks.match import MatchField
from llmsim.engine.mocks.text_search import TextSearch

MISSING: Any = object()
"""A body that is no JSON: nothing is in it."""


class View:
    """One request. ``header`` gives a header by its lower-case name; ``searches`` are the texts
    that mocks look for in each place."""

    __slots__ = (
        "_found",
        "_json",
        "_texts",
        "_turn",
        "body",
        "dialect",
        "endpoint",
        "header",
        "request",
        "searches",
    )

    def __init__(
        self,
        request: Request,
        endpoint: str,
        dialect: str,
        body: bytes,
        header: Callable[[str], str | None],
        searches: Mapping[MatchField, TextSearch],
    ) -> None:
        self.request = request
        self.endpoint = endpoint
        self.dialect = dialect
        self.body = body
        self.header = header
        self.searches = searches
        self._json: Any = None
        self._texts: dict[MatchField, list[str]] = {}
        self._found: dict[MatchField, set[int]] = {}
        self._turn = 0

    def texts(self, where: MatchField) -> list[str]:
        """The texts of that place."""
        texts = self._texts.get(where)
        if texts is None:
            texts = self._texts[where] = _TEXTS[where](self.request)
        return texts

    def found(self, where: MatchField) -> set[int]:
        """The numbers of what is found there."""
        found = self._found.get(where)
        if found is None:
            found = self._found[where] = self.searches[where].found(self.texts(where))
        return found

    @property
    def weight(self) -> int:
        """How many steps all searches take at most, roughly."""
        return sum(search.weight(self.texts(where)) for where, search in self.searches.items())

    @property
    def json(self) -> Any:
        """The body's value, or :data:`MISSING`."""
        if self._json is None:
            try:
                self._json = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                self._json = MISSING
        return self._json

    @property
    def turn(self) -> int:
        """Which answer of its conversation is asked for, from 1."""
        if not self._turn:
            self._turn = 1 + answered(self.request)
        return self._turn


def answered(request: Request) -> int:
    """How often the assistant has answered: messages of its that follow one another are one turn,
    as some APIs part its text from its calls. Text to be completed is no turn."""
    turns = 0
    before = ""
    for message in request.messages:
        if message.role == "assistant" != before:
            turns += 1
        before = message.role
    return turns - (before == "assistant")


def _content(request: Request) -> list[str]:
    for message in reversed(request.messages):
        if message.role == "user":
            return [message.text]
    return []


def _of(role: str) -> Callable[[Request], list[str]]:
    return lambda request: [message.text for message in request.messages if message.role == role]


def _every(request: Request) -> list[str]:
    return [message.text for message in request.messages]


def _results(request: Request) -> list[str]:
    return [message.text for message in tool_results(request)]


def tool_results(request: Request) -> list[Message]:
    """The tools' results since the model last answered."""
    return list(results(request.messages)) if request.task is None else []


_TEXTS: dict[MatchField, Callable[[Request], list[str]]] = {
    "content": _content,
    "system": _of("system"),
    "any": _every,
    "tool_result": _results,
}
