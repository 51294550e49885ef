"""Legacy completions: log probabilities (``types.completion_choice.Logprobs``)."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from llmsim.core import TokenLogprobs
from llmsim.providers.wire import json_lists


def logprobs_object(
    entries: Sequence[TokenLogprobs], offset: int, top: int, unprompted: bool = False
) -> bytes:
    """The ``logprobs`` of a choice, as JSON: four lists with an item a token. ``offset`` is the
    character at which the first token begins, counted from the prompt's start; ``top`` is how
    many of the likeliest tokens were asked for.

    ``unprompted`` says that the first entry is the prompt's first token, which follows nothing
    and so has no probability.
    """
    logprobs: list[float | None] = [entry.sampled.logprob for entry in entries]
    likeliest: list[dict[str, float] | None] = [
        {_token(other.token): other.logprob for other in entry.top} for entry in entries
    ]
    if unprompted and entries:
        # The SDK's types know no null here. Without alternatives they can be kept: a certain
        # token changes no sum.
        logprobs[0], likeliest[0] = None if top else 0.0, None
    return b'{"text_offset":%b,"token_logprobs":%b,"tokens":%b,"top_logprobs":%b}' % (
        orjson.dumps(_offsets(entries, offset)),
        orjson.dumps(logprobs),
        json_lists.dumps(entries, lambda entry: _token(entry.sampled.token)),
        json_lists.dumps(likeliest, lambda each: each) if top else b"null",
    )


def _token(token: bytes) -> str:
    """A token as text; one that ends inside a character as its bytes."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token)


def _offsets(entries: Sequence[TokenLogprobs], offset: int) -> list[int]:
    """Where each token begins: after how many characters that have begun before it."""
    offsets = []
    for entry in entries:
        offsets.append(offset)
        # Continuation bytes begin no character (RFC 3629).
        offset += sum(byte & 0xC0 != 0x80 for byte in entry.sampled.token)
    return offsets
