"""llmsim: an LLM traffic simulator, wire-exact, token-exact, time-exact and fast.

In Python programs and tests: :class:`Server` runs a server, :class:`Client` steers one,
:func:`plan` is an answer without a server, :func:`count_tokens` counts as a model's provider does,
:class:`LatencyProfile` says how long answers take, and :data:`generators` make texts. Each is
imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Addresses",
    "Client",
    "ControlError",
    "CannotServe",
    "LatencyProfile",
    "ReceivedRequest",
    "Server",
    "count_tokens",
    "generators",
    "plan",
]

if TYPE_CHECKING:
    from llmsim.core.catalog.profiles import LatencyProfile
    from llmsim.library import generators
    from llmsim.library.answers import plan
    from llmsim.library.tokens import count_tokens
    from llmsim.testing.addresses import Addresses
    from llmsim.testing.client import ControlClient as Client
    from llmsim.testing.client import ControlError
    from llmsim.testing.received_request import ReceivedRequest
    from llmsim.testing.server_process import CannotServe
    from llmsim.testing.server_process import ServerProcess as Server

_HOMES = {
    "Addresses": ("testing.addresses", "Addresses"),
    "CannotServe": ("testing.server_process", "CannotServe"),
    "Client": ("testing.client", "ControlClient"),
    "ControlError": ("testing.client", "ControlError"),
    "LatencyProfile": ("core.catalog.profiles", "LatencyProfile"),
    "ReceivedRequest": ("testing.received_request", "ReceivedRequest"),
    "Server": ("testing.server_process", "ServerProcess"),
    "count_tokens": ("library.tokens", "count_tokens"),
    "generators": ("library.generators", None),
    "plan": ("library.answers", "plan"),
}
"""Public names: the module each is in, and its name there; None for the module itself."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'llmsim' has no attribute {name!r}")
    home, inside = _HOMES[name]
    module = import_module(f"llmsim.{home}")
    value = module if inside is None else getattr(module, inside)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
