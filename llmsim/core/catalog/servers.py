"""What serves models, where it is not their provider's own service."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

ServerType: TypeAlias = Literal["vllm"]

ADAPTER: Final = ":"
"""What stands between the name of a model and that of its LoRA adapter."""
