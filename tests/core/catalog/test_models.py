"""The model catalogue: its data is sound, and every name gets the right model."""

from typing import get_args

import msgspec
import pytest

from llmsim.core.catalog import profiles
from llmsim.core.catalog.models import MODELS, UNKNOWN, Kind, Model, Vendor, find, resolve

FIRST_MODEL = 1_660_000_000  # August 2022: before every model in here
NOT_SECONDS = 3_000_000_000  # later than any model: the day was given in other units

O200K, CL100K = "o200k_base", "cl100k_base"


def everyone() -> list[Model]:
    return list(MODELS.values())


@pytest.mark.parametrize("model", everyone(), ids=lambda model: model.id)
def test_model_is_well_formed(model: Model) -> None:
    assert model.id
    assert model.owner
    assert model.display_name
    assert FIRST_MODEL < model.created < NOT_SECONDS
    assert 0 <= model.max_output_tokens <= model.context_window
    assert model.latency in profiles.PRESETS
    if not model.reasoning:
        assert model.effort == "none"
    if model.kind in {"chat", "completion"}:
        assert model.max_output_tokens > 0
    else:
        assert not model.reasoning


@pytest.mark.parametrize("model", everyone(), ids=lambda model: model.id)
def test_only_the_old_openai_families_count_with_cl100k(model: Model) -> None:
    old = ("gpt-4-", "gpt-3.5", "text-embedding-3", "text-embedding-ada", "text-moderation")
    expected = model.id.startswith((*old, "davinci", "babbage")) or model.id == "gpt-4"
    assert (model.encoding == CL100K) is expected


def test_names_are_unique() -> None:
    names = [name for model in everyone() for name in (model.id, *model.aliases)]
    assert len(names) == len(set(names))
    assert all(key == model.id for key, model in MODELS.items())


def test_every_provider_and_kind_is_there() -> None:
    assert {model.provider for model in everyone()} == set(get_args(Vendor))
    assert {model.kind for model in everyone()} == set(get_args(Kind))


@pytest.mark.parametrize(
    "name",
    [
        "gpt-6.2-sol",
        "gpt-5",
        "gpt-5-mini",
        "gpt-5-nano",
        "gpt-5-pro",
        "gpt-5-codex",
        "gpt-4.1",
        "gpt-4o",
        "gpt-4o-2024-08-06",
        "gpt-4-turbo",
        "gpt-4",
        "gpt-3.5-turbo",
        "gpt-3.5-turbo-instruct",
        "o1",
        "o3",
        "o4-mini",
        "text-embedding-3-small",
        "omni-moderation-latest",
        "gpt-image-1",
        "dall-e-3",
        "davinci-002",
        "claude-fable-5-2",
        "claude-opus-4-5-20251101",
        "claude-3-haiku-20240307",
        "gemini-4-argon",
        "gemini-2.5-pro",
        "gemini-1.5-flash",
        "gemini-embedding-001",
        "deepseek-chat",
        "deepseek-reasoner",
        "deepseek-v4-pro",
    ],
)
def test_find_knows_ids(name: str) -> None:
    found = find(name)
    assert found is not None
    assert found.id == name
    assert resolve(name) is found


def test_find_knows_aliases_and_nothing_else() -> None:
    found = find("claude-haiku-4-5")
    assert found is not None
    assert found.id == "claude-haiku-4-5-20251001"
    assert find("gpt-4o-2099-01-01") is None
    assert find("GPT-4o") is None
    assert find("") is None


@pytest.mark.parametrize(
    ("name", "encoding", "latency", "reasoning", "window"),
    [
        ("gpt-4o", O200K, "gpt-4o", False, 128_000),
        ("gpt-4o-2024-08-06", O200K, "gpt-4o", False, 128_000),
        ("gpt-4o-2099-01-01", O200K, "gpt-4o", False, 128_000),
        ("chatgpt-4o-2030", O200K, "gpt-4o", False, 128_000),
        ("gpt-4.1-mini-2025-04-14", O200K, "gpt-4o", False, 1_047_576),
        ("gpt-4.1-foo", O200K, "gpt-4o", False, 1_047_576),
        ("gpt-4.5", O200K, "gpt-4", False, 128_000),
        ("gpt-4", CL100K, "gpt-4", False, 8_192),
        ("gpt-4-0999", CL100K, "gpt-4", False, 8_192),
        ("gpt-4-turbo-2030-01-01", CL100K, "gpt-4", False, 128_000),
        ("gpt-4.7", O200K, "gpt-4o", False, 1_000_000),
        ("gpt-3.5-turbo", CL100K, "gpt-4o", False, 16_385),
        ("gpt-35-turbo", CL100K, "gpt-4o", False, 16_385),
        ("gpt-3.5-turbo-instruct", CL100K, "gpt-4o", False, 4_096),
        ("text-davinci-003", CL100K, "gpt-4o", False, 16_384),
        ("gpt-5", O200K, "gpt-5", True, 400_000),
        ("gpt-5-foo", O200K, "gpt-5", True, 400_000),
        ("gpt-5-mini-2025-08-07", O200K, "gpt-5-mini", True, 400_000),
        ("gpt-5-nano-preview", O200K, "gpt-5-mini", True, 400_000),
        ("gpt-5.9", O200K, "gpt-5", True, 400_000),
        ("gpt-6-luna-2027-01-01", O200K, "gpt-5-mini", True, 1_050_000),
        ("gpt-6.9-sol", O200K, "gpt-5", True, 1_050_000),
        ("o3-mini-high", O200K, "o-series", True, 200_000),
        ("o4-mini-2025-04-16", O200K, "o-series", True, 200_000),
        ("text-embedding-3-large", CL100K, "fast", False, 8_192),
        ("text-embedding-004", O200K, "fast", False, 2_048),
        ("claude-opus-4-5", O200K, "claude-opus", True, 200_000),
        ("claude-opus-9", O200K, "claude-opus", True, 1_000_000),
        ("claude-3-5-haiku", O200K, "claude-haiku", False, 200_000),
        ("claude-instant-1.2", O200K, "claude-sonnet", True, 1_000_000),
        ("gemini-2.5-pro-preview-09-09", O200K, "gemini-pro", True, 1_048_576),
        ("gemini-9-flash", O200K, "gemini-flash", True, 1_048_576),
        ("deepseek-r1-distill-llama-70b", O200K, "deepseek-reasoner", True, 65_536),
        ("deepseek-v3.1", O200K, "deepseek", False, 65_536),
        ("ft:gpt-4o-mini-2024-07-18:acemeco:suffix:abc123", O200K, "gpt-4o", False, 128_000),
        ("ft:gpt-3.5-turbo-0125:acemeco::abc123", CL100K, "gpt-4o", False, 16_385),
        ("ft:mystery:acemeco::abc123", O200K, "gpt-4o", False, 1_000_000),
        ("openai/gpt-4", CL100K, "gpt-4", False, 8_192),
        ("openai/ft:gpt-4o:acemeco::abc123", O200K, "gpt-4o", False, 128_000),
        ("anthropic/claude-sonnet-4.5:beta", O200K, "claude-sonnet", True, 200_000),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", O200K, "claude-sonnet", True, 200_000),
        ("claude-sonnet-4@20250514", O200K, "claude-sonnet", True, 200_000),
        ("models/gemini-1.5-pro", O200K, "gemini-pro", False, 2_097_152),
        ("accounts/fireworks/models/deepseek-r1", O200K, "deepseek-reasoner", True, 65_536),
        ("deepseek-ai/DeepSeek-R1", O200K, "deepseek-reasoner", True, 65_536),
        ("GPT-4", CL100K, "gpt-4", False, 8_192),
        ("meta-llama/llama-3.3-70b", O200K, "gpt-4o", False, 1_000_000),
        ("o12", O200K, "gpt-4o", False, 1_000_000),
        ("", O200K, "gpt-4o", False, 1_000_000),
    ],
)
def test_resolve(name: str, encoding: str, latency: str, reasoning: bool, window: int) -> None:
    model = resolve(name)
    assert model.id == name
    got = (model.encoding, model.latency, model.reasoning, model.context_window)
    assert got == (encoding, latency, reasoning, window)


@pytest.mark.parametrize(
    ("name", "effort"),
    [
        ("gpt-4o", "none"),
        ("gpt-5", "medium"),
        ("gpt-5-pro", "high"),
        ("gpt-5.1", "none"),
        ("o3", "medium"),
        ("claude-opus-4-5", "none"),
        ("gemini-3.1-pro-preview", "high"),
        ("mystery", "none"),
    ],
)
def test_effort_where_the_client_says_nothing(name: str, effort: str) -> None:
    assert resolve(name).effort == effort


def test_resolved_alias_differs_in_its_name_only() -> None:
    alias = resolve("claude-haiku-4-5")
    model = MODELS["claude-haiku-4-5-20251001"]
    assert alias == msgspec.structs.replace(model, id="claude-haiku-4-5", aliases=())


def test_unlisted_name_is_shown_as_asked_for() -> None:
    assert resolve("gpt-5-foo").display_name == "gpt-5-foo"
    assert resolve("mystery") == msgspec.structs.replace(
        UNKNOWN, id="mystery", display_name="mystery"
    )


def test_resolve_remembers_a_bounded_number_of_names() -> None:
    assert resolve("one-more") is resolve("one-more")
    assert resolve.cache_info().maxsize == 4096


def test_directions_after_a_name_are_no_part_of_it() -> None:
    assert find("gpt-4o@llmsim:latency=instant") == find("gpt-4o")
    assert resolve("gpt-4o@llmsim:seed=7") == resolve("gpt-4o")
