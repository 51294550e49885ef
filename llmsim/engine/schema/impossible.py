"""The one way a schema can fail: nothing satisfies it, or it is not a schema."""

from __future__ import annotations

from typing import TypeAlias

Path: TypeAlias = tuple[str, ...]
"""Where in the user's schema: ``("properties", "city", "minLength")``; ``()`` is the root."""


class ImpossibleSchema(ValueError):  # noqa: N818 - named for what it says of a schema
    """No value can be made for a schema; ``path`` is the place in it that forbids one.

    Raised for schemas that are malformed (``type: "strng"``, a $ref that leads nowhere), that
    contradict themselves (``minimum`` above ``maximum``) and that ask for more than is
    reasonable (a string of a billion characters).
    """

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{self.pointer}: {message}")

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer in a URI fragment: ``#/properties/city``."""
        return "#" + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in self.path)
