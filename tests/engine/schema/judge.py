"""Whether a value is valid, in the eyes of validators that llmsim has no part in."""

from collections.abc import Callable
from typing import Any

import jsonschema
import jsonschema_rs

DRAFTS: dict[str, type[jsonschema.protocols.Validator]] = {
    "draft4": jsonschema.Draft4Validator,
    "draft6": jsonschema.Draft6Validator,
    "draft7": jsonschema.Draft7Validator,
    "draft2019-09": jsonschema.Draft201909Validator,
    "draft2020-12": jsonschema.Draft202012Validator,
}


def faults(schema: Any, value: Any, draft: str = "draft2020-12") -> list[str]:
    """What `jsonschema` holds against the value, formats included."""
    validator = DRAFTS[draft](schema, format_checker=DRAFTS[draft].FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(value)]


def ecma_faults(schema: Any, value: Any) -> list[str]:
    """The same for schemas whose patterns Python's `re` does not understand."""
    validator = jsonschema_rs.validator_for(schema, validate_formats=True, retriever=_refuse)
    return [error.message for error in validator.iter_errors(value)]


def _refuse(uri: str) -> Any:
    raise LookupError(uri)


def judge(entry: dict[str, Any]) -> Callable[[Any], list[str]]:
    """What finds the faults of a value for one entry of the corpus."""
    schema = entry.get("as", entry["schema"])
    find = ecma_faults if entry.get("checker") == "ecma" else faults
    return lambda value: find(schema, value)
