"""Responses: the response object in each of its states (``types.responses.Response``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, SupportsBytes, TypeAlias

import orjson

from llmsim.core import Finish, Stamp, Usage

Open: TypeAlias = Literal["queued", "in_progress"]

# Errors a response may fail with: a closed list. What fits none of them is a server error.
ERRORS = frozenset(("server_error", "rate_limit_exceeded", "invalid_prompt"))


def response_id(mark: str) -> str:
    """``resp_`` and 32 hex digits, of which the last 26 are the stamp's."""
    return "resp_0f1e68" + mark


def unfinished(echo: bytes, stamp: Stamp, status: Open) -> tuple[bytes, ...]:
    """A response without any output yet, as parts of its JSON; the last one is ``echo``."""
    state = (
        f'"status":"{status}","completed_at":null,"error":null,"incomplete_details":null,'
        '"output":[],"usage":null,'
    )
    return (_head(stamp) + state.encode(), echo)


def finished(
    echo: bytes,
    stamp: Stamp,
    finish: Finish,
    usage: Usage,
    items: Sequence[tuple[SupportsBytes, ...]],
) -> tuple[SupportsBytes, ...]:
    """A response whose output is complete, as parts of its JSON; ``items`` are its output."""
    reason = _REASONS.get(finish)
    status, details = b"completed", b"null"
    completed = b"%d" % stamp.created
    if reason is not None:
        status, completed = b"incomplete", b"null"
        details = b'{"reason":"%b"}' % reason
    state = b'"status":"%b","completed_at":%b,"error":null,"incomplete_details":%b,"output":[' % (
        status, completed, details,
    )  # fmt: skip
    tokens = b'],"usage":%b,' % usage_object(usage)
    return (_head(stamp) + state, *_listed(items), tokens, echo)


def failed(echo: bytes, stamp: Stamp, code: str, message: str) -> tuple[bytes, ...]:
    """A response that broke off, as parts of its JSON."""
    error = {"code": code if code in ERRORS else "server_error", "message": message}
    state = (
        b'"status":"failed","completed_at":null,"error":%b,"incomplete_details":null,'
        b'"output":[],"usage":null,' % orjson.dumps(error)
    )
    return (_head(stamp) + state, echo)


_REASONS = {Finish.LENGTH: b"max_output_tokens", Finish.FILTER: b"content_filter"}


def _listed(items: Sequence[tuple[SupportsBytes, ...]]) -> list[SupportsBytes]:
    listed: list[SupportsBytes] = []
    for item in items:
        listed += (b",", *item) if listed else item
    return listed


def _head(stamp: Stamp) -> bytes:
    return (
        f'{{"id":"{response_id(stamp.mark)}","object":"response","created_at":{stamp.created},'
    ).encode()


def usage_object(usage: Usage) -> bytes:
    """``types.responses.ResponseUsage``, as JSON."""
    return (
        f'{{"input_tokens":{usage.prompt},"input_tokens_details":{{"cached_tokens":{usage.cached},'
        f'"cache_write_tokens":{usage.cache_written}}},"output_tokens":{usage.completion},'
        f'"output_tokens_details":{{"reasoning_tokens":{usage.reasoning}}},'
        f'"total_tokens":{usage.total}}}'
    ).encode()
