"""Plain values, such as JSON's, as the tree the kinds read."""

from __future__ import annotations

from typing import Final

from llmsim.config.document import Entry, Items, Node, Place, Scalar, Table, dotted, wrong

DEEPEST: Final = 64
"""How deep values may be nested."""


def tree(value: object, place: Place, key: str = "", depth: int = DEEPEST) -> Node:
    """The tree of a value made of dictionaries with text keys, lists, text, numbers, booleans and
    None. Raises ConfigError where it is nested too deeply."""
    if depth == 0:
        raise wrong(place, key, "nested too deeply")
    if isinstance(value, dict):
        return Table(
            place,
            {
                name: Entry(place, (tree(item, place, dotted(key, name), depth - 1),))
                for name, item in value.items()
            },
        )
    if isinstance(value, list | tuple):
        return Items(
            place,
            tuple(
                tree(item, place, f"{key}[{index}]", depth - 1) for index, item in enumerate(value)
            ),
        )
    if value is None or isinstance(value, bool):
        return Scalar(place, value, {None: "null", True: "true", False: "false"}[value], True)
    if isinstance(value, int | float):
        return Scalar(place, value, repr(value), True)
    return Scalar(place, str(value), str(value), True)
