"""Texts of a certain form: regular expressions, templates, paths in a body."""

from __future__ import annotations

from dataclasses import dataclass

from llmsim.config.document import Node, Scalar, wrong
from llmsim.config.kinds import Text, unfit
from llmsim.core.mocks import body_path, regex, template


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression in RE2's syntax."""

    valid: str = "a regular expression"

    def read(self, node: Node, key: str) -> str:
        pattern = Text(self.valid).read(node, key)
        try:
            regex.check(pattern)
        except ValueError as error:
            raise wrong(node.place, key, str(error)) from None
        return pattern

    def write(self, value: str) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Template:
    """A text that may be a template. With ``empty`` it may be of no characters."""

    empty: bool = False
    valid: str = "text"

    def read(self, node: Node, key: str) -> str:
        if self.empty and isinstance(node, Scalar) and node.value == "":
            return ""
        text = Text(self.valid).read(node, key)
        try:
            template.parsed(text)
        except ValueError as error:
            raise wrong(node.place, key, str(error)) from None
        return text

    def write(self, value: str) -> object:
        return value


def check_path(node: Node, key: str, text: str) -> None:
    """Raises ConfigError for a text that is no path."""
    try:
        body_path.parsed(text)
    except ValueError:
        raise unfit(Scalar(node.place, text, text, True), key, body_path.VALID) from None
