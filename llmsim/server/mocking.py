"""Requests get what mocks and scripts have for them.

How often each was used is counted over all workers, and each use is one step of its responses.
"""

from __future__ import annotations

import secrets
from asyncio import to_thread
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from msgspec import structs

from llmsim import profiles
from llmsim.config import Config
from llmsim.config.mocks import Mock, Script, keys
from llmsim.config.record import Record
from llmsim.config.speech import Speech
from llmsim.engine import seeds
from llmsim.engine.latency import draws_of, span
from llmsim.engine.mocks import script
from llmsim.engine.mocks.book import Book, Rule
from llmsim.engine.mocks.rendering import Occasion, failed, spoken
from llmsim.engine.mocks.view import View
from llmsim.engine.seeds import fraction
from llmsim.errors import BadRequest, Failure, Kind
from llmsim.server.books import Books
from llmsim.server.callers import manner
from llmsim.server.control import Subject
from llmsim.shared.tally import Tally

R = TypeVar("R", Mock, Script)

INLINE = 4_000_000
"""Steps of searches that may be taken on the event loop: 16 ms in the worst case, less than one
in most. Others take place in a thread."""


class Mocking:
    """The step that decides what is said. The last one: it sees what the others left of the
    request, and a request that is refused uses no mock."""

    def __init__(self, config: Config, books: Books) -> None:
        self._config = config
        self._tally = books.tally
        self._book = Book(config.mocks, config.scripts)

    async def consider(self, subject: Subject) -> None:
        """Give one request its words. Raises BadRequest where it gets an error."""
        port, endpoint = subject.port, subject.request.endpoint
        header = _none if port is None else port.header
        name = endpoint.dialect.name
        view = self._book.view(subject.ask, endpoint.name, name, subject.body, header)
        if subject.prompt_tokens * self._book.steps > INLINE and view.weight > INLINE:
            await to_thread(self._book.look, view)
        for rule in self._book.matching(view):
            if rule.probability < 1.0 and self._lucky(subject, rule) is False:
                continue
            count = self._used(rule)
            if count is None:
                continue
            subject.request.mock = rule.label
            speech = self._speech(rule, count, subject, view)
            if speech is None:
                raise BadRequest(_exhausted(rule))
            self._say(speech, rule, count, subject, view)
            return

    def _used(self, rule: Rule) -> int | None:
        """How often the rule was used before; None if it may not be used any more."""
        if rule.times is None:
            return self._tally.advance(rule.key)
        return self._tally.take(rule.key, rule.times)

    def _speech(self, rule: Rule, count: int, subject: Subject, view: View) -> Speech | None:
        if not rule.turns:
            return script.at(rule.speeches, count, rule.exhausted)
        key = ""
        if subject.port is not None:
            how = manner(subject.request.endpoint.dialect.name).key
            key = how(subject.port.header, subject.port.query)
        name = f"{rule.key} {script.conversation(subject.ask, key)}"

        def fresh(place: str) -> bool:
            return self._tally.take(f"{name} {place}", 1) is not None

        return script.turn(rule.speeches, view.turn - 1, rule.exhausted, fresh)

    def _say(self, speech: Speech, rule: Rule, count: int, subject: Subject, view: View) -> None:
        occasion = Occasion(view, self._seed(subject), count + 1, rule.regexes)
        if speech.latency is not None:
            model = subject.rules.model
            profile = speech.latency.on(profiles.preset(model.latency))
            subject.rules = structs.replace(subject.rules, draws=draws_of(profile))
        if speech.error is not None:
            failure = failed(speech.error, occasion)
            if speech.latency is not None and speech.error.after is None:
                first, _ = span(subject.rules.draws, 1, occasion.seed)
                failure = replace(failure, after=first)
            raise BadRequest(failure)
        subject.orders = structs.replace(subject.orders, mock=spoken(speech, occasion))

    def _lucky(self, subject: Subject, rule: Rule) -> bool:
        return fraction(self._seed(subject), rule.salt) < rule.probability

    def _seed(self, subject: Subject) -> int:
        """The seed of the request, settled now if it was not yet."""
        ask = subject.ask
        seed = seeds.settled(ask.seed, self._config.seed, subject.body)
        if seed is None:
            seed = secrets.randbits(seeds.BITS)
            subject.ask = structs.replace(ask, seed=seed)
        return seed


def told(config: Config, tally: Tally) -> dict[str, list[dict[str, Any]]]:
    """Mocks and scripts as they are configured, with how often each was used, and how often a
    mock may still be."""
    mocks = [
        {**written, "hits": hits, "left": None if mock.times is None else mock.times - hits}
        for mock, written, hits in _counted(config.mocks, Record(Mock).write, tally)
    ]
    scripts = [
        {**written, "hits": hits}
        for _, written, hits in _counted(config.scripts, Record(Script).write, tally)
    ]
    return {"mocks": mocks, "scripts": scripts}


def _counted(
    rules: Sequence[R], write: Callable[[R], dict[str, object]], tally: Tally
) -> Iterator[tuple[R, dict[str, object], int]]:
    for rule, key in zip(rules, keys(rules), strict=True):
        yield rule, write(rule), tally.reached(key)


def _none(name: str) -> str | None:
    """A request without headers."""
    return None


def _exhausted(rule: Rule) -> Failure:
    """The failure past the last response. Clients do not try again after it."""
    message = (
        f"The {rule.kind} {rule.label!r} is exhausted: all of its {len(rule.speeches)} responses "
        "have been given."
    )
    return Failure(Kind.INVALID, message, code="mock_exhausted", injected=True)
