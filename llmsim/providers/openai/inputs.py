"""Texts as legacy completions, embeddings and the like take them: a string, token ids, or a list
of either."""

from __future__ import annotations

from llmsim.core import Message
from llmsim.core.errors import BadRequest, invalid

Input = str | list[str | int | list[int]]


def messages(given: Input, param: str) -> tuple[Message, ...]:
    """A message for each text. Raises BadRequest for an empty or mixed list."""
    if isinstance(given, str):
        return (Message("user", given),)
    if not given:
        raise _empty(param)
    texts = [one for one in given if isinstance(one, str)]
    lists = [one for one in given if isinstance(one, list)]
    ids = [one for one in given if isinstance(one, int)]
    if len(given) not in (len(texts), len(lists), len(ids)):
        message = (
            f"Invalid type for '{param}': expected a string, an array of strings, an array of "
            "integers or an array of arrays of integers, but got an array of several types."
        )
        raise invalid(message, param, "invalid_type")
    if texts:
        return tuple(Message("user", text) for text in texts)
    if ids:
        return (Message("user", tokens=tuple(ids)),)
    if not all(lists):
        raise _empty(f"{param}[{lists.index([])}]")
    return tuple(Message("user", tokens=tuple(one)) for one in lists)


def _empty(param: str) -> BadRequest:
    message = f"Invalid '{param}': empty array. Expected an array with minimum length 1."
    return invalid(message, param, "empty_array")
