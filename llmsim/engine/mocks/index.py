"""All mocks and scripts of a configuration, made ready, and found by what is in a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from urllib.parse import quote
from zlib import crc32

from llmsim.core import Request
from llmsim.core.mocks.match import MatchField, MockMatch
from llmsim.core.mocks.mock import Mock, MockScript, OnExhausted, counter_keys
from llmsim.core.mocks.response import MockResponse
from llmsim.core.value import Value
from llmsim.engine.mocks.matcher import Condition, Lexicon, conditions, named, regexes, sought
from llmsim.engine.mocks.view import View

R = TypeVar("R", Mock, MockScript)

REMEMBERED = 4096
"""Names of requests for which it is known which rules they are for."""


LONGEST_TOKEN = 128
"""Characters of the longest token of any encoding; those are spaces."""


class MockRule(Value, frozen=True, gc=False):
    """One mock or script. ``key`` is what it is counted by, ``label`` what it is called.

    ``place`` is where it stands in its section. Of a script ``turns`` says whether a conversation
    has its own place in it. ``texts`` are places and numbers of what has to be found, ``rest`` is
    what else has to hold.
    """

    kind: str
    place: int
    key: str
    label: str
    match: MockMatch
    texts: tuple[tuple[MatchField, int], ...]
    rest: tuple[Condition, ...]
    regexes: tuple[tuple[MatchField, str], ...]
    speeches: tuple[MockResponse, ...]
    exhausted: OnExhausted
    turns: bool = False
    times: int | None = None
    probability: float = 1.0

    @property
    def salt(self) -> int:
        """Salts a request's seed for this rule's chance."""
        return crc32(self.key.encode(errors="surrogatepass"))


class MockIndex:
    """The rules in the order in which they count.

    A rule that looks for texts is found by the first of them; others by the names of a request,
    for which the rules that are for it are remembered.
    """

    def __init__(self, mocks: Sequence[Mock], scripts: Sequence[MockScript]) -> None:
        self._lexicon: Lexicon = {}
        made = [self._mock(place, mock, key) for place, (mock, key) in _keyed(mocks)]
        made += [self._script(place, script, key) for place, (script, key) in _keyed(scripts)]
        priorities = [one.priority for one in mocks] + [one.priority for one in scripts]
        order = sorted(range(len(made)), key=lambda place: -priorities[place])
        self.rules = tuple(made[place] for place in order)
        self._by_text: dict[MatchField, dict[int, list[int]]] = {}
        self._others: list[int] = []
        for place, rule in enumerate(self.rules):
            if rule.texts:
                where, number = rule.texts[0]
                self._by_text.setdefault(where, {}).setdefault(number, []).append(place)
            else:
                self._others.append(place)
        self._for: dict[tuple[str, str, str], list[int]] = {}
        for search in self._lexicon.values():
            search.compile()
        # Of all searches, for each token of the prompt, at most, roughly.
        self.steps = LONGEST_TOKEN * sum(search.steps for search in self._lexicon.values())

    def view(
        self,
        request: Request,
        endpoint: str,
        dialect: str,
        body: bytes,
        header: Callable[[str], str | None],
    ) -> View:
        """A request as these rules look at it."""
        return View(request, endpoint, dialect, body, header, self._lexicon)

    def look(self, view: View) -> None:
        """Do all searches now: elsewhere than where the rules are then matched."""
        for where in self._lexicon:
            view.found(where)

    def matching(self, view: View) -> Iterator[MockRule]:
        """The rules a request matches, those that count first before others."""
        names = (view.request.model, view.endpoint, view.dialect)
        others = self._for.get(names)
        if others is None:
            rules = self.rules
            others = [place for place in self._others if named(rules[place].match, *names)]
            if len(self._for) >= REMEMBERED:
                self._for.clear()
            self._for[names] = others
        hits: list[int] = []
        for where, by_number in self._by_text.items():
            for number in view.found(where):
                hits += by_number.get(number, ())
        for place in sorted(hits + others) if hits else others:
            rule = self.rules[place]
            if rule.texts and not self._fits(rule, view, names):
                continue
            if all(condition(view) for condition in rule.rest):
                yield rule

    def _fits(self, rule: MockRule, view: View, names: tuple[str, str, str]) -> bool:
        texts = rule.texts
        return named(rule.match, *names) and (
            len(texts) == 1 or all(number in view.found(where) for where, number in texts[1:])
        )

    def _mock(self, place: int, mock: Mock, key: str) -> MockRule:
        label = f"mocks[{place}]" if mock.name is None else quote(mock.name, safe=" ")
        return MockRule(
            "mock",
            place,
            key,
            label,
            mock.match,
            tuple(sought(mock.match, self._lexicon)),
            tuple(conditions(mock.match, self._lexicon)),
            tuple(regexes(mock.match)),
            mock.all_responses,
            mock.on_exhausted,
            False,
            mock.times,
            mock.probability,
        )

    def _script(self, place: int, script: MockScript, key: str) -> MockRule:
        label = f"scripts[{place}]" if script.name is None else quote(script.name, safe=" ")
        return MockRule(
            "script",
            place,
            key,
            label,
            script.match,
            tuple(sought(script.match, self._lexicon)),
            tuple(conditions(script.match, self._lexicon)),
            tuple(regexes(script.match)),
            script.turns,
            script.on_exhausted,
            script.key == "conversation",
        )


def _keyed(rules: Sequence[R]) -> Iterator[tuple[int, tuple[R, str]]]:
    """Each with its place and the key it is counted by."""
    return enumerate(zip(rules, counter_keys(rules), strict=True))
