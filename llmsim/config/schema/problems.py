"""What is wrong with a value, collected.

pydantic by itself stops at the first thing that is wrong on each level: checks over several keys
wait until each key is right. Here they all are reported at once: what is wrong with single keys,
and of the checks those that do not depend on such a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from llmsim.config.schema.values import fault

TWICE: Final = "is listed twice"
"""Comes after the value itself."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a value of several keys or items: the one it is reported at, and others
    it depends on. The key of no characters is the whole; ``part`` is a key of the
    item."""

    at: str | int
    message: str
    also: tuple[str | int, ...] = ()
    part: str = ""


Problems: TypeAlias = Iterator[Problem]


def at_place(error: PydanticCustomError, loc: Iterable[str | int] = ()) -> InitErrorDetails:
    """An error further down in the value that is validated."""
    return InitErrorDetails(type=error, loc=tuple(loc), input=None)


def raised(details: Iterable[InitErrorDetails]) -> None:
    """Raises ValidationError if there are any errors."""
    found = list(details)
    if found:
        raise ValidationError.from_exception_data("configuration", found)


def _again(error: ValidationError) -> list[InitErrorDetails]:
    """The errors of an exception, to be raised together with others."""
    return [
        at_place(_custom(one["type"], one["msg"], one.get("ctx")), one["loc"])
        for one in error.errors(include_url=False, include_input=False)
    ]


def _custom(kind: str, message: str, context: dict[str, Any] | None) -> PydanticCustomError:
    if kind == "missing":
        return fault("is missing")
    if kind == "recursion_loop":
        return fault("nested too deeply")
    if kind in ("fault", "unfit"):
        return PydanticCustomError(kind, "{message}", context)
    return fault(message)


def all_at_once(
    data: dict[Any, Any],
    handler: Callable[[Any], Any],
    check: Callable[[Any], Problems],
    errors: list[InitErrorDetails] | None = None,
) -> Any:
    """What ``handler`` makes of the data, if nothing is wrong with it; else raises ValidationError
    with all that is wrong, ``errors`` found before included."""
    found = errors or []
    failed: set[Any] = set()
    try:
        read = handler(data)
    except ValidationError as error:
        found += _again(error)
        failed = {one["loc"][0] for one in error.errors(include_url=False) if one["loc"]}
        # What is right by itself is read once more, for the checks; it has no errors further in.
        try:
            read = handler({name: item for name, item in data.items() if name not in failed})
        except ValidationError:  # something that has to be there has failed
            read = None
    for problem in () if read is None else check(read):
        if failed.isdisjoint((problem.at, *problem.also)):
            loc = [step for step in (problem.at, problem.part) if step != ""]
            found.append(at_place(fault(problem.message), loc))
    raised(found)
    return read
