"""How each family of models counts what is in a prompt beside text, and from what length on it
caches one.

One row a family; the first row that a model's name fits holds for it. Sources, as of November 2026
(docs/tokens.md has the formulas with examples):

- tools: OpenAI's cookbook, "How to count tokens with tiktoken", part 7; Anthropic's guide to tool
  use, table "Tool use system prompt token count"
- pictures: OpenAI's guide to images and vision, "Calculating costs"
- caching: Anthropic's guide to prompt caching, "Cache limitations"; OpenAI's, "Requirements"
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct

from llmsim.core.catalog.models import bare_name


class TileRule(Struct, frozen=True):
    """Pictures by tiles of 512 × 512 pixels: ``base`` tokens, and ``tile`` for each."""

    base: int
    tile: int


class PatchRule(Struct, frozen=True):
    """Pictures by patches of 32 × 32 pixels, at most 1,536: ``factor`` tokens for each."""

    factor: float


class SignatureRule(Struct, frozen=True):
    """Tools as the cookbook counts them: ``start`` tokens for each, and what its formula gives."""

    start: int


class JsonRule(Struct, frozen=True):
    """Tools as the JSON they come as, after a prompt of so many tokens where the model may choose
    (``free``) or has to call one (``forced``)."""

    free: int = 12
    forced: int = 12
    each: int = 8


ImageRule: TypeAlias = TileRule | PatchRule
ToolRule: TypeAlias = SignatureRule | JsonRule


class PromptRules(Struct, frozen=True):
    """What holds for a family. ``least_cached`` is the length in tokens from which a prefix is
    cached."""

    tools: ToolRule
    image: ImageRule = TileRule(85, 170)
    least_cached: int = 1024


_NEW, _OLD = SignatureRule(7), SignatureRule(10)
_CLAUDE = JsonRule(346, 313, 0)

FAMILIES: Final[tuple[tuple[str, PromptRules], ...]] = (
    ("gpt-4.1-nano*", PromptRules(_NEW, PatchRule(2.46))),
    ("gpt-4.1-mini*", PromptRules(_NEW, PatchRule(1.62))),
    ("gpt-4.1*", PromptRules(_NEW)),
    ("gpt-4.5*", PromptRules(_NEW)),
    ("gpt-4o-mini*", PromptRules(_NEW, TileRule(2833, 5667))),
    ("gpt-4o*", PromptRules(_NEW)),
    ("chatgpt-4o*", PromptRules(_NEW)),
    ("gpt-[56]*-nano*", PromptRules(_NEW, PatchRule(2.46))),
    ("gpt-[56]*-mini*", PromptRules(_NEW, PatchRule(1.62))),
    ("gpt-[56]*", PromptRules(_NEW, TileRule(70, 140))),
    ("chat-latest*", PromptRules(_NEW, TileRule(70, 140))),
    ("o4-mini*", PromptRules(_NEW, PatchRule(1.72))),
    ("codex-mini*", PromptRules(_NEW, PatchRule(1.72))),
    ("o[13]*", PromptRules(_NEW, TileRule(75, 150))),
    ("computer-use*", PromptRules(_NEW, TileRule(65, 129))),
    ("gpt-4*", PromptRules(_OLD)),
    ("gpt-3*", PromptRules(_OLD)),
    ("gpt*", PromptRules(_NEW)),
    ("claude-3-5-haiku*", PromptRules(JsonRule(264, 340, 0), least_cached=2048)),
    ("claude-3-haiku*", PromptRules(JsonRule(264, 340, 0), least_cached=2048)),
    ("claude-3-opus*", PromptRules(JsonRule(530, 281, 0))),
    ("claude-3-sonnet*", PromptRules(JsonRule(159, 235, 0))),
    ("claude-opus-4-[5-9]*", PromptRules(_CLAUDE, least_cached=4096)),
    ("claude-opus-[5-9]*", PromptRules(_CLAUDE, least_cached=4096)),
    ("claude-haiku-*", PromptRules(_CLAUDE, least_cached=4096)),
    ("claude*", PromptRules(_CLAUDE)),
)

OTHERS: Final = PromptRules(JsonRule())
"""Families that publish nothing of it, and unknown models: the tools are an estimate."""


@lru_cache(maxsize=4096)
def prompt_rules(model: str) -> PromptRules:
    """The rules for a model of that name, however gateways write it."""
    name = bare_name(model)
    return next((rules for pattern, rules in FAMILIES if fnmatchcase(name, pattern)), OTHERS)
