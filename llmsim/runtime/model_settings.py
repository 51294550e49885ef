"""The settings of each model, built once per model from the catalogue and the configuration."""

from __future__ import annotations

from msgspec.structs import replace

from llmsim.config import Config
from llmsim.core.catalog import profiles
from llmsim.core.catalog.models import MODELS, Model, Vendor, find_hosted, resolve
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.load.step_cost import Replicas
from llmsim.engine import sampling
from llmsim.engine.compose import ModelSettings, with_length
from llmsim.engine.text import text_generator
from llmsim.engine.timing import Draws, drawn, draws_of
from llmsim.engine.tokens import ranks
from llmsim.engine.tokens.tokenizer import tokenizer

MAX_MODELS = 4096
"""Models whose settings are kept. Clients may make up any number of names."""


class ModelRegistry:
    """The models of one configuration, and their settings."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._generator = text_generator(config.response.generator)
        self._available = config.models.available
        self._settings: dict[str, ModelSettings] = {}

    def known(self, model: str) -> ModelSettings | None:
        """The model's settings if they are built already, else None."""
        return self._settings.get(model)

    def names(self, limit: int) -> list[str]:
        """Up to ``limit`` names of models whose settings are built."""
        return list(self._settings)[:limit]

    def ready(self, model: str) -> bool:
        """Whether :meth:`settings` needs neither load a tokenizer nor draw times."""
        entry, length = resolve(model), self._config.response.target_tokens
        return (
            ranks.loaded(entry.encoding)
            and drawn(self._profile(model, entry))
            and (isinstance(length, int) or sampling.drawn(length))
        )

    def settings(self, model: str) -> ModelSettings:
        """The settings for a model. Raises BadRequest for one that is not served."""
        found = self._settings.get(model)
        if found is None:
            found = self._built(model)
            if len(self._settings) >= MAX_MODELS:
                self._settings.clear()
            self._settings[model] = found
        return found

    def listed(self, vendor: Vendor | None = None) -> list[Model]:
        """The models that listings show: those configured, or else the catalogue, or ``vendor``'s
        part of it."""
        if self._available is not None:
            return [self._served(resolve(name)) for name in self._available]
        every = MODELS.values()
        return [self._served(one) for one in every if vendor is None or one.provider == vendor]

    def model(self, name: str) -> Model:
        """A model that listings show. Raises BadRequest for any other."""
        found = find_hosted(name)
        if self._available is not None:
            if name in self._available:
                return self._served(resolve(name))
        elif found is not None:
            return self._served(found)
        raise unknown_model(name)

    def _served(self, model: Model) -> Model:
        server = self._config.models.server(model.id)
        return model if server is None else replace(model, server=server)

    def _built(self, model: str) -> ModelSettings:
        if self._config.models.unknown == "reject" or self._config.validation == "strict":
            self.model(model)
        entry = resolve(model)
        draws = draws_of(self._profile(model, entry))
        may_starve = self._config.thinking.may_starve
        settings = ModelSettings(
            entry,
            tokenizer(entry.encoding),
            draws,
            self._generator,
            1,
            self._config.response.tools.call_rate,
            self._config.response.refusal_rate,
            self._config.response.refusal,
            self._config.response.generator.kind == "sequence",
            may_starve=entry.may_starve if may_starve is None else may_starve,
            replicas=self._replicas(model, draws),
        )
        return with_length(settings, self._config.response.target_tokens)

    def _replicas(self, model: str, draws: Draws) -> Replicas | None:
        load = self._config.latency.load(model)
        if load is None or not draws.itl:
            return None
        return Replicas(load.replicas, load.cost(draws.itl, draws.prefill), draws.itl)

    def _profile(self, name: str, model: Model) -> LatencyProfile:
        return self._config.latency.for_model(name, profiles.preset(model.latency))


def unknown_model(name: str) -> BadRequest:
    """The exception for a model that is not served."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return BadRequest(Failure(FailureKind.MODEL_NOT_FOUND, message, model=name))
