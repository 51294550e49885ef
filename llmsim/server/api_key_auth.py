"""Only callers with a known API key are let in, to anything that a provider has."""

from __future__ import annotations

from collections.abc import Set

from llmsim.core import Headers
from llmsim.core.errors import Failure
from llmsim.providers import registry
from llmsim.providers.provider import RequestHeader
from llmsim.server.lifecycle import count_refusal
from llmsim.server.refusals import refusal
from llmsim.state.shm.labels import OTHER
from llmsim.state.shm.worker_counters import WorkerCounters

# llmsim's own, and pictures, which a provider's link leads to without a key.
OPEN = ("/health", "/ready", "/metrics", "/llmsim", "/favicon.ico")


class ApiKeyAuth:
    """Looks at the head of each request before its body is read."""

    def __init__(self, counters: WorkerCounters) -> None:
        self._counters = counters

    @staticmethod
    def failure(keys: Set[str], path: str, query: str, header: RequestHeader) -> Failure | None:
        """Why a request is not let in where these are the keys; None if it is."""
        if path == "/" or path.startswith(OPEN):
            return None
        auth = registry.of_request(path, query, header).auth
        key = auth.key(header, query)
        return None if key in keys else auth.refusal(key)

    def refusal(
        self, keys: Set[str], path: str, query: str, header: RequestHeader
    ) -> tuple[int, Headers, bytes] | None:
        """Status, head and body for a request that is not let in, which is counted."""
        failure = self.failure(keys, path, query, header)
        if failure is None:
            return None
        status, head, body = refusal(failure, path, query, header)
        count_refusal(self._counters, OTHER, status, failure)
        return status, head, body
