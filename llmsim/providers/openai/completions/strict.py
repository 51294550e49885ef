"""Legacy completions: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from collections.abc import Iterator

from llmsim.providers.openai.completions.params import CompletionRequest
from llmsim.providers.openai.strict import (
    API,
    SEEN,
    check_bias,
    check_fields,
    check_limit,
    check_streaming,
    known_kind,
)
from llmsim.providers.rules import Breach, Rules

RULES: Rules[CompletionRequest] = Rules()


def check(body: bytes, params: CompletionRequest) -> None:
    """Raises BadRequest for the first rule that a request breaks."""
    check_fields(body, "openai_completions", params.model)
    RULES.check(params, params.model)


@RULES.row(
    "completion-model",
    "This is a chat model and not supported in the v1/completions endpoint. Did you mean to use "
    "v1/chat/completions?",
    SEEN,
)
def _completion_model(params: CompletionRequest) -> Iterator[Breach]:
    if known_kind(params.model) not in (None, "completion"):
        yield Breach("model")


@RULES.checked(
    "stream-options",
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    API,
)
def _stream_options(params: CompletionRequest) -> None:
    check_streaming(params.stream_options, params.stream)


@RULES.checked(
    "max-tokens-bounds",
    "{where} is too large: {wanted}. This model supports at most {most} completion tokens, "
    "whereas you provided {wanted}.",
    API,
)
def _max_tokens_bounds(params: CompletionRequest) -> None:
    check_limit(params.model, params.max_tokens, "max_tokens", 0)


@RULES.row(
    "logit-bias",
    "Invalid '{where}': decimal out of bounds. Expected a value from -100 to 100, but got "
    "{value:g} instead.",
    API,
    code="decimal_out_of_bounds",
)
def _logit_bias(params: CompletionRequest) -> Iterator[Breach]:
    yield from check_bias(params.logit_bias)
