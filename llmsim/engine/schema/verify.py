"""Whether a value is valid: the keywords that cannot be built for are checked afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import jsonschema_rs

from llmsim.engine.schema.impossible import ImpossibleSchema

_BACKTRACKS = 100_000


class Verifier:
    """A compiled schema. Raises ValueError if it cannot be compiled.

    Regular expressions give up after a bounded number of steps, and nothing is ever fetched.
    """

    __slots__ = ("accepts",)

    def __init__(self, schema: dict[str, Any]) -> None:
        try:
            validator = jsonschema_rs.Draft202012Validator(
                schema,
                validate_formats=True,
                retriever=_refuse,
                pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS),
            )
        except ValueError as error:
            raise ValueError(str(error).partition("\n")[0]) from None
        self.accepts = validator.is_valid


def _refuse(uri: str) -> NoReturn:
    raise LookupError(f"{uri} is not part of the schema")


class Check:
    """Tells whether values are valid against a schema that is only put together if it is asked.

    Raises ImpossibleSchema for a schema that the verifier will not have.
    """

    __slots__ = ("_accepts", "_schema")

    def __init__(self, schema: Callable[[], dict[str, Any]]) -> None:
        self._schema = schema
        self._accepts: Callable[[Any], bool] | None = None

    def __call__(self, value: Any) -> bool:
        if self._accepts is None:
            try:
                self._accepts = Verifier(self._schema()).accepts
            except ValueError as error:
                raise ImpossibleSchema((), f"values of it cannot be checked: {error}") from None
        return self._accepts(value)
