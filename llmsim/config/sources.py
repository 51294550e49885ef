"""What is laid over the file: flags of ``llmsim serve`` and environment variables.

There is one scheme: the flag ``--target-tokens`` is the variable ``LLMSIM_TARGET_TOKENS``, and
what has no flag is set in the file. A variable set to nothing counts as not set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from llmsim.config.nodes import Entry, Faults, Node, Place, Scalar, Table, nested, wrong
from llmsim.core.spelling import did_you_mean

PREFIX: Final = "LLMSIM_"

PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "host": ("server", "host"),
    "port": ("server", "port"),
    "workers": ("server", "workers"),
    "generator": ("response", "generator"),
    "target_tokens": ("response", "target_tokens"),
    "latency": ("latency",),
    "seed": ("seed",),
    "log_level": ("server", "log_level"),
    "token": ("control", "token"),
    "tls": ("server", "tls"),
    "replay": ("replay", "path"),
    "speed": ("replay", "speed"),
    "ids": ("replay", "ids"),
    "on_miss": ("on_miss",),
}
"""Flag to the key it sets. ``latency`` and ``on_miss`` set the whole section, and nothing else."""

CLIENTS: Final = (PREFIX + "URL", PREFIX + "CA", PREFIX + "KEY")
"""Variables that tell ``llmsim ctl`` where its server is and whom to trust, and ``llmsim replay``
with which key to come; not for a server."""

_LINK: Final = re.compile(
    r"LLMSIM_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_LINK_URL: Final = re.compile(r"(tcp|udp|sctp)://")


def variable(flag: str) -> str:
    """The environment variable beside a flag."""
    return PREFIX + flag.upper()


def _ours(environ: Mapping[str, str]) -> Iterator[str]:
    """The variables that are set for llmsim.

    Kubernetes sets others of that prefix in every pod beside a service named llmsim, among them
    ``LLMSIM_PORT=tcp://10.0.0.1:80``: those are not meant for it.
    """
    for name in sorted(environ):
        linked = _LINK.fullmatch(name) or (
            name.endswith("_PORT") and _LINK_URL.match(environ[name])
        )
        if name.startswith(PREFIX) and name not in CLIENTS and environ[name] and not linked:
            yield name


def from_environment(environ: Mapping[str, str], faults: Faults) -> dict[str, Scalar]:
    """Flag to the value its variable sets; an unknown variable is a fault."""
    flags = {variable(flag): flag for flag in (*PATHS, "config")}
    found = {}
    for name in _ours(environ):
        if name in flags:
            found[flags[name]] = Scalar(Place(name), environ[name], environ[name])
        else:
            bare = [known.removeprefix(PREFIX) for known in flags]
            hint = did_you_mean(name.removeprefix(PREFIX), bare, PREFIX)
            message = f"unknown variable{hint}; valid are {', '.join(flags)}"
            faults += wrong(Place(name), "", message).faults
    return found


def from_flags(flags: Mapping[str, object]) -> dict[str, Scalar]:
    """Flag to the value it was set to; an absent flag is None or not there.

    Raises KeyError for a name that is no flag.
    """
    found = {}
    for flag, value in flags.items():
        PATHS[flag]
        if value is not None:
            place = Place("--" + flag.replace("_", "-"))
            found[flag] = Scalar(place, str(value), str(value))
    return found


@dataclass(frozen=True, slots=True)
class Layered:
    """The sources on top of each other. ``overridden`` are keys and what one of the sources sets
    them to in vain; ``generator_chosen`` says that the generator is from another source than the
    texts of the file."""

    root: Node
    overridden: tuple[tuple[tuple[str, ...], Node], ...] = ()
    generator_chosen: bool = False


def overlaid(root: Node, *layers: Mapping[str, Scalar]) -> Layered:
    """The tree with the values of flags on top of what it had, layer by layer."""
    overridden: list[tuple[tuple[str, ...], Node]] = []
    for layer in layers:
        for flag, value in layer.items():
            node: Node = value
            if flag == "latency":
                node = nested(("profile",), value)
            root = _set(root, PATHS[flag], (), node, overridden)
    chosen = any("generator" in layer for layer in layers)
    return Layered(root, tuple(overridden), chosen)


def _set(
    root: Node,
    keys: tuple[str, ...],
    above: tuple[str, ...],
    node: Node,
    overridden: list[tuple[tuple[str, ...], Node]],
) -> Node:
    """The tree with a key set; what it was goes to ``overridden``, to be judged for itself."""
    if not isinstance(root, Table):
        return root
    name, rest = keys[0], keys[1:]
    entry = root.entries.get(name)
    here = (*above, name)
    if rest and entry is not None and isinstance(entry.node, Table):
        inner = _set(entry.node, rest, here, node, overridden)
    else:
        if entry is not None:
            overridden.append((here, entry.node))
        inner = nested(rest, node) if rest else node
    place = entry.place if entry is not None else node.place
    return Table(root.place, {**root.entries, name: Entry(place, inner)})
