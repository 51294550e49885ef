"""File, environment and flags to one configuration."""

from __future__ import annotations

from collections.abc import Mapping

from llmsim.config import Config, document, mock_files, sources, tls_files
from llmsim.config.nodes import Faults, Node, Place, Table, nested
from llmsim.config.reader import read
from llmsim.config.schema.server import GENERATOR_CHOSEN
from llmsim.core.errors import ConfigError


def load(
    path: str | None, environ: Mapping[str, str], flags: Mapping[str, object], reloading: bool
) -> Config:
    """What :func:`llmsim.config.load` says."""
    faults = Faults()
    set_by_flag = sources.from_flags(flags)
    set_by_variable = sources.from_environment(environ, faults)
    named = set_by_variable.pop("config", None)
    source = path if path is not None else named.text if named else None
    root: Node = Table(Place("defaults"), {})
    with faults.caught():
        if source is not None:
            root = document.read(source, faults, reloading)
            root = mock_files.included(root, source, faults, reloading)
            root = tls_files.resolved(root, source)
    layered = sources.overlaid(root, set_by_variable, set_by_flag)
    for keys, node in layered.overridden:
        with faults.caught():
            _check_overridden(keys, node)
    config: Config | None = None
    with faults.caught():
        config = read(layered.root, context={GENERATOR_CHOSEN: layered.generator_chosen})
        if config.server.tls is not None:
            faults += tls_files.faults(config.server.tls, layered.root)
    if faults or config is None:
        raise ConfigError(sorted(faults, key=lambda fault: (fault.line is None, fault.line or 0)))
    return config


def _check_overridden(keys: tuple[str, ...], node: Node) -> None:
    """Raises ConfigError for what is wrong with a value that another source overrides, as far as
    that is about itself."""
    root = nested(keys, node)
    try:
        read(root)
    except ConfigError as error:
        own = ".".join(keys)
        about = [one for one in error.faults if f"{one.key}.".startswith(f"{own}.")]
        if about:
            raise ConfigError(about) from None
