"""Rate-limit headers of the hosted services, where no limits are configured."""

from itertools import count
from pathlib import Path

import pytest

from llmsim.providers.anthropic import limits as anthropic
from llmsim.providers.openai import limits as openai
from llmsim.runtime.runtime_config import runtime_config
from llmsim.state.memory import memory_state
from tests.runtime.worker import configured


@pytest.mark.parametrize(
    ("text", "hosted"),
    [
        ("{}", True),
        ("rate_limit_headers: configured", False),
        ("rate_limits: [{requests_per_minute: 9}]", False),
    ],
)
def test_they_are_there_until_there_are_limits(text: str, hosted: bool, tmp_path: Path) -> None:
    config = configured(text, tmp_path)
    assert runtime_config(config, memory_state(count(1).__next__)).hosted is hosted


def test_openais_say_that_next_to_nothing_is_used() -> None:
    headers = dict(openai.hosted(0))
    for what in ("requests", "tokens"):
        limit, remaining = (
            int(headers[f"x-ratelimit-{part}-{what}"]) for part in ("limit", "remaining")
        )
        assert limit > remaining > 0.99 * limit
        assert headers[f"x-ratelimit-reset-{what}"].endswith("s")


def test_anthropics_are_full_by_now() -> None:
    headers = dict(anthropic.hosted(1_700_000_000))
    assert headers["anthropic-ratelimit-requests-reset"] == "2023-11-14T22:13:20Z"
    assert len(headers) == 12
