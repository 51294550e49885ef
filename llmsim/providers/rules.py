"""What a provider refuses, as tables: one row a rule. ``docs/strict.md`` is made from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Generic, TypeAlias, TypeVar

from llmsim.core.catalog.models import Model, bare_name, resolve
from llmsim.core.errors import invalid

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class SomeModels:
    """Some models: what to call them, a regular expression for their names as in the catalogue,
    and what must hold ``when`` the catalogue describes them."""

    called: str
    pattern: re.Pattern[str]
    when: Callable[[Model], bool] | None = None

    def have(self, model: str) -> bool:
        """Whether a model is one of them, by any of its names."""
        if self.pattern.fullmatch(bare_name(model)) is None:
            return False
        return self.when is None or self.when(resolve(model))


def models(
    called: str, pattern: str = ".*", when: Callable[[Model], bool] | None = None
) -> SomeModels:
    return SomeModels(called, re.compile(pattern), when)


ALL = models("all")


@dataclass(frozen=True, slots=True)
class Breach:
    """Where a request breaks a rule, and what its message has in braces."""

    where: str | None
    values: Mapping[str, object] = field(default_factory=dict)


Finder: TypeAlias = Callable[[W], Iterator[Breach]]
"""Gives where a request breaks a rule."""

Check: TypeAlias = Callable[[W], None]
"""Raises BadRequest for a request that breaks a rule."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[W]):
    """One rule.

    ``message`` is the provider's; what depends on the request is in braces. ``source`` says how it
    is known. It holds for some ``models``, and for requests that have one of the fields ``on``, if
    there are any.
    """

    id: str
    message: str
    source: str
    check: Check[W]
    models: SomeModels
    on: tuple[str, ...] = ()


class Rules(Generic[W]):
    """The rules of one endpoint, in the order in which they are checked."""

    def __init__(self) -> None:
        self.rows: list[Rule[W]] = []
        self._of = lru_cache(maxsize=4096)(self._holding)

    def row(
        self,
        rule: str,
        message: str,
        source: str,
        *,
        code: str | None = None,
        models: SomeModels = ALL,
        on: tuple[str, ...] = (),
    ) -> Callable[[Finder[W]], Finder[W]]:
        """Make what is decorated the finder of a rule. ``{where}`` in its message is the field, and
        what else is in braces the finder gives. Requests without any of the fields ``on`` cannot
        break it."""

        def add(finds: Finder[W]) -> Finder[W]:
            def check(request: W) -> None:
                for breach in finds(request):
                    said = message.format(where=breach.where, **breach.values)
                    raise invalid(said, breach.where, code)

            self.rows.append(Rule(rule, message, source, check, models, on))
            return finds

        return add

    def checked(
        self,
        rule: str,
        message: str,
        source: str,
        *,
        models: SomeModels = ALL,
        on: tuple[str, ...] = (),
    ) -> Callable[[Check[W]], Check[W]]:
        """Make what is decorated a rule that says itself what is wrong."""

        def add(check: Check[W]) -> Check[W]:
            self.rows.append(Rule(rule, message, source, check, models, on))
            return check

        return add

    def check(self, request: W, model: str) -> None:
        """Raises BadRequest for the first rule that a request to a model breaks."""
        for fields, nothing, check in self._of(model):
            if fields is None or fields(request) != nothing:
                check(request)

    def _holding(self, model: str) -> tuple[_Gate[W], ...]:
        return tuple(_gate(rule) for rule in self.rows if rule.models.have(model))


_Gate: TypeAlias = tuple[Callable[[W], object] | None, object, Check[W]]
"""What gives the fields that a rule is on, what they are without any, and the rule's check."""


def _gate(rule: Rule[W]) -> _Gate[W]:
    if not rule.on:
        return None, None, rule.check
    nothing = None if len(rule.on) == 1 else (None,) * len(rule.on)
    return attrgetter(*rule.on), nothing, rule.check
