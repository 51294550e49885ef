"""What comes with each piece of text in chat completions and responses: log probabilities
(``types.chat.chat_completion_token_logprob``) and padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llmsim.core import GeneratedText, Logprob, TokenLogprobs
from llmsim.providers.wire import json_lists

_PADDING = "x7Kq2mVb9LtRw4ZcYd8HsNf3"


def obfuscation(piece: str) -> bytes:
    """Padding that hides a piece's length from whoever watches the sizes of packets."""
    return b',"obfuscation":"%b"' % _PADDING[: 1 + max(0, 15 - len(piece))].encode()


def choice_logprobs(entries: Sequence[TokenLogprobs]) -> bytes:
    """The ``logprobs`` of a chat's choice, as JSON. Joined, the entries' bytes are the text."""
    return b'{"content":%b,"refusal":null}' % logprob_entries(entries)


def logprob_entries(entries: Sequence[TokenLogprobs]) -> bytes:
    """The entries as both chat completions and responses have them: one a token, as JSON."""
    return json_lists.dumps(entries, _entry)


def event_logprobs(entries: Sequence[TokenLogprobs]) -> bytes:
    """The entries as events of a streamed response have them: without bytes."""
    return json_lists.dumps(entries, _event_entry)


def by_piece(generated: GeneratedText) -> Iterator[Sequence[TokenLogprobs]]:
    """The entries that belong to each piece of a text."""
    start = 0
    for end in generated.ends:
        yield generated.logprobs[start : end + 1]
        start = end + 1


def _entry(entry: TokenLogprobs) -> dict[str, Any]:
    return {**_token(entry.sampled), "top_logprobs": [_token(other) for other in entry.top]}


def _event_entry(entry: TokenLogprobs) -> dict[str, Any]:
    shown = _entry(entry)
    for one in (shown, *shown["top_logprobs"]):
        del one["bytes"]
    return shown


def _token(one: Logprob) -> dict[str, Any]:
    return {
        "token": one.token.decode(errors="replace"),
        "logprob": one.logprob,
        "bytes": list(one.token),
    }
