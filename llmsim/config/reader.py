"""A tree of what was written, to a configuration; and its faults, where they were written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from llmsim.config import Config
from llmsim.config.nodes import Items, Node, Scalar, Table, dotted, is_null, nested, shown, value
from llmsim.config.schema.problems import TWICE
from llmsim.config.schema.root import ConfigSection
from llmsim.config.schema.section import Section
from llmsim.core.errors import ConfigError, ConfigFault

AT_KEY = "[key]"
"""How pydantic names the key of a mapping, as opposed to its value."""


def read(
    root: Node, section: type[Section] = ConfigSection, context: Mapping[str, object] | None = None
) -> Any:
    """What a section's tree says. Raises ConfigError."""
    try:
        return section.model_validate(value(root), context=dict(context or {})).build()
    except ValidationError as error:
        raise ConfigError(_distinct(_faults(root, error))) from None


def read_key(name: str, node: Node) -> Any:
    """What one of the configuration's own keys is set to. Raises ConfigError."""
    return getattr(read(nested((name,), node), ConfigSection), name)


def written(config: Config) -> dict[str, object]:
    """What :func:`llmsim.config.effective` says."""
    plain: dict[str, object] = ConfigSection.write(config)
    return plain


def _faults(root: Node, error: ValidationError) -> Iterable[ConfigFault]:
    for details in error.errors(include_url=False, include_input=False):
        yield _fault(root, details)


def _distinct(faults: Iterable[ConfigFault]) -> list[ConfigFault]:
    return list(dict.fromkeys(faults))


def _fault(root: Node, details: ErrorDetails) -> ConfigFault:
    """One fault, at the nearest place that was written."""
    context = details.get("ctx", {})
    node, place, key = root, root.place, ""
    for step in details["loc"]:
        if step == AT_KEY and not (isinstance(node, Table) and AT_KEY in node.entries):
            name = str(details["loc"][-2])
            node, key = Scalar(place, name, name, True), key if name else key[:-1]
            break
        if isinstance(node, Table) and isinstance(step, str):
            entry = node.entries.get(step)
            key = dotted(key, step)
            if entry is None:
                break
            at_key = context.get("at_key", False)
            node, place = entry.node, entry.place if at_key else entry.node.place
        elif isinstance(node, Items) and isinstance(step, int):
            node, key = node.nodes[step], f"{key}[{step}]"
            place = node.place
        elif is_null(node) and isinstance(step, str):
            key = dotted(key, step)
            break
        elif not isinstance(node, Table):  # a short form, or one in place of a list
            break
    return ConfigFault(place.where, place.line, key, _message(node, details, context))


def _message(node: Node, details: ErrorDetails, context: Mapping[str, Any]) -> str:
    if details["type"] == "unfit":
        message = f"must be {context['valid']}, not {shown(node)}{context['hint']}"
        if context["quote"] and isinstance(node, Scalar):
            message += f' (quote it: "{node.text}")'
        return message
    message = context.get("message", details["msg"])
    return f"{shown(node)} {message}" if message == TWICE else message
