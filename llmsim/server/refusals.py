"""Errors where no endpoint answers: unknown paths, refused keys, bodies too large."""

from __future__ import annotations

import secrets

from llmsim.core import Headers, Stamp
from llmsim.core.errors import Failure
from llmsim.providers import registry
from llmsim.providers.provider import RequestHeader
from llmsim.server.admin.auth import is_own
from llmsim.server.admin.json_response import error_response
from llmsim.state.shm.journal import MARK_DIGITS


def refusal(
    failure: Failure, path: str, query: str, header: RequestHeader
) -> tuple[int, Headers, bytes]:
    """Status, head and body of a failure, in the format of the provider whose path it is, or of
    llmsim's own endpoints."""
    provider = registry.of_request(path, query, header)
    status, headers, body = provider.errors.refusal(failure, unlogged_stamp())
    if is_own(path):
        own = error_response(status, failure.message)
        return status, [("content-type", "application/json")], bytes(own.body)
    return status, headers, body


def unlogged_stamp() -> Stamp:
    """For answers that are not in the journal."""
    return Stamp(secrets.token_hex(MARK_DIGITS // 2), 0)
