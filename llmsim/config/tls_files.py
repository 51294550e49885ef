"""The files that ``server.tls`` names: where they are, and whether a server can use them.

A path in a configuration file is relative to that file. Faults name the key of the file they are
about, and its place in the configuration.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from llmsim.config.nodes import Entry, Node, Place, Scalar, Table
from llmsim.config.settings import TLS
from llmsim.core.errors import ConfigFault

SECTION: Final = ("server", "tls")
PATHS: Final = ("cert", "key", "client_ca", "self_signed")


def resolved(root: Node, path: str) -> Node:
    """The tree of the configuration file at ``path`` with paths that hold from everywhere."""
    return _resolved(root, SECTION, Path(path).parent.absolute())


def _resolved(node: Node, keys: tuple[str, ...], folder: Path) -> Node:
    if not isinstance(node, Table):
        return node
    entries = dict(node.entries)
    for name in keys[:1] or PATHS:
        entry = entries.get(name)
        if entry is None:
            continue
        inner = entry.node
        if keys:
            inner = _resolved(inner, keys[1:], folder)
        elif isinstance(inner, Scalar) and isinstance(inner.value, str) and inner.value:
            joined = str(folder / inner.value)
            inner = Scalar(inner.place, joined, joined, inner.typed)
        entries[name] = Entry(entry.place, inner)
    return Table(node.place, entries)


def faults(tls: TLS, root: Node) -> list[ConfigFault]:
    """What keeps a server from using these files; ``root`` is the tree that names them."""
    if tls.self_signed is not None and find_spec("cryptography") is None:
        message = "a self-signed certificate needs another package: pip install 'llmsim[tls]'"
        return [_fault(root, "self_signed", message)]
    # Imported late: most servers do without.
    from llmsim.config.certificates import CertificateError, examine  # noqa: PLC0415

    try:
        examine(tls)
    except CertificateError as error:
        return [_fault(root, key, message) for key, message in error.reasons.items()]
    return []


def _fault(root: Node, key: str, message: str) -> ConfigFault:
    """The fault of a key, at the nearest place that was written."""
    place: Place = root.place
    node = root
    for name in (*SECTION, key):
        entry = node.entries.get(name) if isinstance(node, Table) else None
        if entry is None:
            break
        node, place = entry.node, entry.node.place
    return ConfigFault(place.where, place.line, ".".join((*SECTION, key)), message)
