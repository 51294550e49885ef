"""Conditions made ready: each is a function of a request's :class:`View`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import orjson

from llmsim.core.codec import dumps
from llmsim.core.mocks import body_path
from llmsim.core.mocks.match import (
    MATCH_FIELDS,
    MATCH_MODES,
    MatchField,
    MatchMode,
    MockMatch,
    TurnRange,
    ValueTest,
)
from llmsim.core.mocks.regex import compiled
from llmsim.core.patterns import matches
from llmsim.engine.mocks.text_search import SEARCHED, TextSearch
from llmsim.engine.mocks.view import MISSING, View, tool_results

Condition: TypeAlias = Callable[[View], bool]
Lexicon: TypeAlias = dict[MatchField, TextSearch]


def conditions(match: MockMatch, lexicon: Lexicon) -> list[Condition]:
    """All that has to hold, but for the names of the request and the texts looked for: those are
    :func:`named` and :func:`sought`. What is looked for further down is added to ``lexicon``."""
    made: list[Condition] = []
    sensitive = match.case_sensitive
    if match.tool_call_id is not None:
        made.append(_answering(match.tool_call_id))
    if match.tools:
        made.append(_offering(match.tools))
    if match.turns is not None:
        made.append(_turn(match.turns))
    for name, test in match.headers:
        made.append(_header(name.lower(), _test(test, sensitive)))
    for path, test in match.body:
        made.append(_body(body_path.parsed(path), _test(test, sensitive)))
    made += [whole(inner, lexicon) for inner in match.all_]
    if match.any_:
        made.append(_either([whole(inner, lexicon) for inner in match.any_]))
    made += [_not(whole(inner, lexicon)) for inner in match.not_]
    return made


def whole(match: MockMatch, lexicon: Lexicon) -> Condition:
    """A whole mapping of conditions as one."""
    texts = [_in(where, number) for where, number in sought(match, lexicon)]
    rest = texts + conditions(match, lexicon)

    def every(view: View) -> bool:
        return named(match, view.request.model, view.endpoint, view.dialect) and all(
            condition(view) for condition in rest
        )

    return every


def named(match: MockMatch, model: str, endpoint: str, dialect: str) -> bool:
    """Whether the request's names are meant."""
    return (
        (match.model is None or matches(match.model, model))
        and (match.endpoint is None or matches(match.endpoint, endpoint))
        and (match.dialect is None or matches(match.dialect, dialect))
    )


def sought(match: MockMatch, lexicon: Lexicon) -> Iterator[tuple[MatchField, int]]:
    """The texts a mapping looks for, as places and numbers in the lexicon, which gets them."""
    for where in MATCH_FIELDS:
        for how in MATCH_MODES:
            text = match.text(where, how)
            if text is not None:
                search = lexicon.setdefault(where, TextSearch())
                yield where, search.add(how, text, _ignoring(how, match.case_sensitive))


def regexes(match: MockMatch) -> Iterator[tuple[MatchField, str]]:
    """The regular expressions on texts, as places and patterns that heed case as they should."""
    for where in MATCH_FIELDS:
        pattern = match.text(where, "regex")
        if pattern is not None:
            ignoring = _ignoring("regex", match.case_sensitive)
            yield where, f"(?i:{pattern})" if ignoring else pattern


def _ignoring(how: MatchMode, sensitive: bool | None) -> bool:
    return how == "contains" if sensitive is None else not sensitive


def _in(where: MatchField, number: int) -> Condition:
    return lambda view: number in view.found(where)


def _either(inner: list[Condition]) -> Condition:
    return lambda view: any(condition(view) for condition in inner)


def _not(inner: Condition) -> Condition:
    return lambda view: not inner(view)


def _answering(pattern: str) -> Condition:
    return lambda view: any(
        matches(pattern, one.answers or "") for one in tool_results(view.request)
    )


def _offering(patterns: Iterable[str]) -> Condition:
    return lambda view: all(
        any(matches(pattern, tool.name) for tool in view.request.tools) for pattern in patterns
    )


def _turn(turns: TurnRange) -> Condition:
    most = turns.max
    return lambda view: turns.min <= view.turn and (most is None or view.turn <= most)


def _header(name: str, test: Callable[[list[Any]], bool]) -> Condition:
    def holds(view: View) -> bool:
        value = view.header(name)
        return test([] if value is None else [value])

    return holds


def _body(path: body_path.BodyPath, test: Callable[[list[Any]], bool]) -> Condition:
    def holds(view: View) -> bool:
        value = view.json
        return test([] if value is MISSING else list(body_path.found(value, path)))

    return holds


def _test(test: ValueTest, sensitive: bool | None) -> Callable[[list[Any]], bool]:
    """Whether any of the values passes. What is no text is looked through as JSON."""
    if test.exists is False:
        return lambda values: not values
    passing: list[Callable[[Any], bool]] = []
    if test.equals is not None:
        wanted = orjson.loads(test.equals)
        passing.append(lambda value: same(value, wanted))
    if test.like is not None:
        like = test.like
        passing.append(lambda value: matches(like, as_text(value)))
    if test.contains is not None:
        passing.append(_containing(test.contains, _ignoring("contains", sensitive)))
    if test.regex is not None:
        passing.append(_searching(test.regex, _ignoring("regex", sensitive)))
    return lambda values: any(all(passes(value) for passes in passing) for value in values)


def _containing(part: str, ignoring: bool) -> Callable[[Any], bool]:
    if not ignoring:
        return lambda value: part in as_text(value)
    lower = part.lower()
    return lambda value: lower in as_text(value).lower()


def _searching(regex: str, ignoring: bool) -> Callable[[Any], bool]:
    pattern = compiled(f"(?i:{regex})" if ignoring else regex)
    return lambda value: bool(pattern.search(as_text(value)[:SEARCHED].encode(errors="replace")))


def as_text(value: Any) -> str:
    """A value of JSON as text."""
    return value if isinstance(value, str) else dumps(value).decode()


def same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are equal: true is not 1, but 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
