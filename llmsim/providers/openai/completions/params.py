"""Legacy completions: the request, as openai 3.54's ``completion_create_params`` types it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from llmsim.core import Complete, Message, Request, Thinking
from llmsim.core.errors import invalid
from llmsim.providers.openai import inputs
from llmsim.providers.openai.chat.params import Penalty, StreamOptions
from llmsim.providers.openai.errors import refuse
from llmsim.providers.wire.decoding import MalformedBody, decode

MAX_TOKENS = 16
MOST_CHOICES = 2048

# Without a prompt the model writes as if after the token that separates documents.
NO_PROMPT = (Message("user", "", extra=1),)
# The models of this endpoint do not reason.
NO_THINKING = Thinking("none")


class CompletionRequest(Struct):
    """The parameters llmsim reads or checks; every other one is ignored."""

    model: Annotated[str, Meta(min_length=1, max_length=256)]
    prompt: inputs.Input | None = None
    best_of: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    presence_penalty: Penalty | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    user: str | None = None

    @property
    def usage_wanted(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage is True


_decoder = msgspec.json.Decoder(CompletionRequest)


def read(body: bytes) -> Request:
    """The request in neutral terms. Raises BadRequest naming the ``param`` that is wrong."""
    try:
        wire = decode(_decoder, body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    prompts = NO_PROMPT if wire.prompt is None else inputs.messages(wire.prompt, "prompt")
    n = wire.n or 1
    prompted = wire.echo is True or wire.logprobs is not None
    task = Complete(prompted, _best_of(wire, n), wire.suffix or "")
    if len(prompts) * task.best_of > MOST_CHOICES:
        message = f"Invalid 'prompt': more than {MOST_CHOICES} completions in one request."
        raise invalid(message, "prompt", "array_above_max_length")
    stop = (wire.stop,) if isinstance(wire.stop, str) else tuple(wire.stop or ())
    return Request(
        wire.model,
        prompts,
        stream=wire.stream is True,
        max_tokens=MAX_TOKENS if wire.max_tokens is None else wire.max_tokens,
        stop=stop,
        n=n,
        seed=wire.seed,
        logprobs=wire.logprobs,
        thinking=NO_THINKING,
        wire=wire,
        task=task,
    )


def _best_of(wire: CompletionRequest, n: int) -> int:
    """How many choices are generated for each prompt. ``best_of`` 0 means that it is not set."""
    best_of = wire.best_of or n
    if best_of < n:
        message = (
            "You requested that the server return more choices than it will generate (HINT: you "
            f"must set 'n' (currently {n}) to be at most 'best_of' (currently {best_of}), or omit "
            "either parameter if you don't specifically want to use them.)"
        )
        raise invalid(message, "best_of")
    if best_of > n and wire.stream:
        raise invalid("Results cannot be streamed when 'best_of' is greater than 'n'.", "best_of")
    return best_of
