"""What a provider refuses, as tables: one row a rule. ``docs/strict.md`` is made from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, TypeAlias, TypeVar

from llmsim.core.catalog.models import bare_name
from llmsim.core.errors import invalid

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class SomeModels:
    """Some models: what to call them, and a regular expression for their names as in the
    catalogue."""

    called: str
    pattern: re.Pattern[str]


def models(called: str, pattern: str) -> SomeModels:
    return SomeModels(called, re.compile(pattern))


ALL = models("all", ".*")


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
    is known. It holds for some ``models``.
    """

    id: str
    message: str
    source: str
    check: Check[W]
    models: SomeModels


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
    ) -> Callable[[Finder[W]], Finder[W]]:
        """Make what is decorated the finder of a rule. ``{where}`` in its message is the field, and
        what else is in braces the finder gives."""

        def add(finds: Finder[W]) -> Finder[W]:
            def check(request: W) -> None:
                for breach in finds(request):
                    said = message.format(where=breach.where, **breach.values)
                    raise invalid(said, breach.where, code)

            self.rows.append(Rule(rule, message, source, check, models))
            return finds

        return add

    def checked(
        self, rule: str, message: str, source: str, *, models: SomeModels = ALL
    ) -> Callable[[Check[W]], Check[W]]:
        """Make what is decorated a rule that says itself what is wrong."""

        def add(check: Check[W]) -> Check[W]:
            self.rows.append(Rule(rule, message, source, check, models))
            return check

        return add

    def check(self, request: W, model: str) -> None:
        """Raises BadRequest for the first rule that a request to a model breaks."""
        for rule in self._of(model):
            rule.check(request)

    def _holding(self, model: str) -> tuple[Rule[W], ...]:
        name = bare_name(model)
        return tuple(rule for rule in self.rows if rule.models.pattern.fullmatch(name))
