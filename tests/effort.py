"""How hard the tests try: little by default, all in the continuous integration.

The environment's `HYPOTHESIS_PROFILE` says `small` or `large`; without it, `CI` makes it large.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

# How long one example takes says nothing on a machine that others use too.
settings.register_profile("small", deadline=None, max_examples=25)
settings.register_profile("large", deadline=None, max_examples=100)

T = TypeVar("T")

PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("large" if os.environ.get("CI") else "small")
SMALL_PART = 5
"""The small profile tries one in so many."""


def examples(large: int) -> int:
    """Examples for `@settings(max_examples=…)` of a test that needs more than the profile has."""
    return large if PROFILE == "large" else large // SMALL_PART


def sample(whole: Sequence[T]) -> Sequence[T]:
    """A corpus, or in the small profile every fifth of it, the same ones each time."""
    return whole if PROFILE == "large" else whole[::SMALL_PART]
