"""The models: who owns them, what they hold, how they count tokens and how fast they are.

The facts are in ``data/models.json``, as the providers' documentation and model listings gave
them in November 2026. Where a model's exact ``created`` is not public it is its release day,
and for the newest few the day their sibling was released.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from llmsim.core import Effort
from llmsim.core.catalog.servers import ServerType

Encoding: TypeAlias = Literal["o200k_base", "cl100k_base"]
Vendor: TypeAlias = Literal["openai", "anthropic", "google", "deepseek"]
Kind: TypeAlias = Literal["chat", "completion", "embedding", "image", "moderation"]
Lifecycle: TypeAlias = Literal["active", "deprecated", "retired"]


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model.

    ``owner`` is the ``owned_by`` of OpenAI's listing, ``created`` is Unix time in seconds.
    ``context_window`` and ``max_output_tokens`` are in tokens; for Gemini the window is the
    input limit, 0 means that the provider gives no such limit. ``encoding`` is what tokens are
    counted with: Claude, Gemini and DeepSeek publish no tiktoken encoding, so theirs stands in
    for it. ``latency`` names a preset of :mod:`llmsim.core.catalog.profiles`, the nearest one where
    the family has none of its own.

    ``reasoning`` says that the model can think before it answers, ``effort`` how hard it does
    if the client says nothing about it, ``reasoning_factor`` how many times as many tokens it
    spends on that as others do. A ``retired`` model is gone from the provider's
    service, but is served here as any other. ``aliases`` are other names for the same model.
    ``dimensions`` is how wide its embeddings are, 0 where it makes none. ``server`` is what serves
    it, None for the provider's own service.
    """

    id: str
    provider: Vendor
    owner: str
    display_name: str
    created: int
    context_window: int
    max_output_tokens: int
    encoding: Encoding
    latency: str
    reasoning: bool = False
    effort: Effort = "none"
    reasoning_factor: float = 1.0
    kind: Kind = "chat"
    lifecycle: Lifecycle = "active"
    aliases: tuple[str, ...] = ()
    dimensions: int = 0
    server: ServerType | None = None

    @property
    def may_starve(self) -> bool:
        """Whether its reasoning may take every token that a client allows, as that of OpenAI's and
        Google's models does."""
        return self.reasoning and self.provider in ("openai", "google")

    @property
    def window_is_input(self) -> bool:
        """Whether the window bounds the prompt alone, and the output has a limit of its own."""
        return self.provider == "google"


class _Catalogue(Struct, frozen=True, forbid_unknown_fields=True):
    """The file: the models, and which of them stands for a whole family of unlisted names."""

    models: tuple[Model, ...]
    families: dict[str, str]


_FILE: Final = msgspec.json.decode(
    files("llmsim.data").joinpath("models.json").read_bytes(), type=_Catalogue
)

MODELS: Final[Mapping[str, Model]] = MappingProxyType({model.id: model for model in _FILE.models})
"""Every model of the catalogue by its id, provider by provider, families together."""

_NAMES: Final = {name: model for model in _FILE.models for name in (model.id, *model.aliases)}
_FAMILIES: Final = {prefix: MODELS[id_] for prefix, id_ in _FILE.families.items()}
_LONGEST: Final = max(map(len, (*_NAMES, *_FAMILIES)))

UNKNOWN: Final = Model(
    id="unknown",
    provider="openai",
    owner="llmsim",
    display_name="unknown",
    created=1_790_000_000,
    context_window=1_000_000,
    max_output_tokens=128_000,
    encoding="o200k_base",
    latency="gpt-4o",
)
"""What a name that fits no model is served as.

Its limits are those of the current generation: nobody here knows the model's own, and a
request that the real model would take must not fail for a guess.
"""


_REVISION: Final = re.compile(r"-v\d+$")

MARK: Final = "@llmsim:"
"""What stands between a model's name and request overrides. No provider's names have it."""


def plain(name: str) -> str:
    """A model's name without the overrides after it."""
    return name.partition(MARK)[0]


def find(name: str) -> Model | None:
    """The catalogue's model of that id or alias, overrides after it apart."""
    return _NAMES.get(plain(name))


@lru_cache(maxsize=4096)
def resolve(name: str) -> Model:
    """What a model of any name is served as; its id is the name as asked for.

    A name that is not in the catalogue is read as gateways and fine-tunes write it
    (``openai/gpt-4o``, ``models/gemini-2.5-pro``, ``anthropic.claude-opus-4-5-20251101-v1:0``,
    ``claude-sonnet-4@20250514``, ``ft:gpt-4o-mini:org:suffix:id``), then as a version of the
    longest name in the catalogue that begins it, or as a newcomer to the family with the
    longest such prefix. Otherwise it is :data:`UNKNOWN`.
    """
    name = plain(name)
    exact = _NAMES.get(name)
    if exact is not None:
        return exact if exact.id == name else replace(exact, id=name, aliases=())
    bare = bare_name(name)
    model = _NAMES.get(bare) or _relative(bare) or UNKNOWN
    return replace(model, id=name, display_name=name, aliases=())


def bare_name(name: str) -> str:
    """A model's name without what gateways and fine-tunes put around it."""
    bare = name.lower().rpartition("/")[2].removeprefix("ft:").partition(":")[0]
    bare = bare.rpartition("anthropic.")[2]
    return bare.replace(".", "-").replace("@", "-") if bare.startswith("claude") else bare


def hosted_name(name: str) -> str:
    """A model's name at its provider, out of that at a cloud: ``claude-sonnet-4-5@20250929``,
    ``us.anthropic.claude-sonnet-4-5-20250929-v1:0``. Any other is left as it is."""
    if "@" not in name and "anthropic." not in name:
        return name
    return _REVISION.sub("", bare_name(plain(name)))


def find_hosted(name: str) -> Model | None:
    """The catalogue's model of that id or alias, or of that name at a cloud."""
    return find(name) or _NAMES.get(hosted_name(name))


def _relative(name: str) -> Model | None:
    """The model with the longest name, or family prefix, that ``name`` begins with.

    A model's name has to be followed by a hyphen: "gpt-4-0999" is a GPT-4, "gpt-4.7" is not.
    """
    for end in range(min(len(name), _LONGEST), 0, -1):
        prefix = name[:end]
        model = _FAMILIES.get(prefix)
        if model is None and name[end : end + 1] == "-":
            model = _NAMES.get(prefix)
        if model is not None:
            return model
    return None
