"""The texts that legacy completions and embeddings take: a string, token ids, or a list of
either."""

from __future__ import annotations

from llmsim.core import Message
from llmsim.core.errors import BadRequest, invalid

Input = str | list[str | int | list[int]]


def messages(value: Input, param: str) -> tuple[Message, ...]:
    """A message for each text. Raises BadRequest for an empty or mixed list."""
    if isinstance(value, str):
        return (Message("user", value),)
    if not value:
        raise _empty(param)
    texts = [one for one in value if isinstance(one, str)]
    lists = [one for one in value if isinstance(one, list)]
    ids = [one for one in value if isinstance(one, int)]
    if len(value) not in (len(texts), len(lists), len(ids)):
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
