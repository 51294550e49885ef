"""Only callers with a known API key are let in, to anything that a provider has."""

from __future__ import annotations

from collections.abc import Sequence

from llmsim.core import Headers
from llmsim.core.api_keys import ApiKey
from llmsim.core.errors import Failure
from llmsim.providers import registry
from llmsim.providers.provider import RequestHeader
from llmsim.server.lifecycle import NO_TOKENS
from llmsim.server.refusals import refusal
from llmsim.state.shm.rows import OTHER
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.scheduler import now_us

# llmsim's own, and pictures, which a provider's link leads to without a key.
OPEN = ("/health", "/ready", "/metrics", "/llmsim", "/favicon.ico")


class ApiKeyAuth:
    """Looks at the head of each request before its body is read."""

    def __init__(self, keys: Sequence[ApiKey], counters: WorkerCounters) -> None:
        self._keys = frozenset(one.key for one in keys)
        self._counters = counters

    def failure(self, path: str, query: str, header: RequestHeader) -> Failure | None:
        """Why a request is not let in; None if it is."""
        if path.startswith(OPEN):
            return None
        auth = registry.of_request(path, query, header).auth
        key = auth.key(header, query)
        return None if key in self._keys else auth.refusal(key)

    def refusal(
        self, path: str, query: str, header: RequestHeader
    ) -> tuple[int, Headers, bytes] | None:
        """Status, head and body for a request that is not let in, which is counted."""
        failure = self.failure(path, query, header)
        if failure is None:
            return None
        status, head, body = refusal(failure, path, query, header)
        self._counters.started()
        self._counters.failed(failure.kind, False)
        row = self._counters.row(OTHER, "", status)
        self._counters.finished(row, now_us() // 1_000_000, NO_TOKENS, False)
        return status, head, body
