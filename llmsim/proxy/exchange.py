"""One request that is passed on, and its answer as it comes back."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import httpx

from llmsim.core import Headers
from llmsim.core.errors import Failure, FailureKind
from llmsim.proxy.headers import to_client
from llmsim.recordings.answers import asked
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
    ResponseEnd,
)

CORRELATION: Final = ("x-request-id", "traceparent", "x-client-request-id")
"""Headers that join an exchange with other systems."""

TIMEOUT: Final = Failure(FailureKind.TIMEOUT, "The upstream service did not answer in time.")
UNREACHABLE: Final = Failure(
    FailureKind.BAD_GATEWAY, "The upstream service could not be reached, or broke off."
)
REDIRECTED: Final = Failure(
    FailureKind.BAD_GATEWAY, "The upstream service redirects elsewhere, which is not followed."
)


class Client(Protocol):
    """Whoever asked: gets the head, then the frames."""

    async def begin(self, status: int, headers: Headers) -> None:
        """The head of the response."""
        ...

    async def frame(self, content: bytes) -> bool:
        """One more piece of the body, at once. Waits where the client reads too slowly. False if
        it has gone."""
        ...


class Exchanges:
    """The exchanges of one process: how many are open to each model, and their clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.open: Counter[str] = Counter()


class Exchange:
    """One of them, and what is noted of it.

    ``provider`` is whose service it is for; ``began`` is on the clock, ``arrived`` a Unix time.
    """

    def __init__(
        self, exchanges: Exchanges, provider: str, request: RecordedRequest, arrived: float
    ) -> None:
        self._exchanges = exchanges
        self._provider = provider
        self._request = request
        self._arrived = arrived
        self._began = exchanges.clock()
        self._content = request.body.content
        self.model, self._stream = asked(request.path, self._content)
        self._frames: list[RecordedFrame] = []
        self._status, self._head_at = 0, 0.0
        self._headers: Headers = []
        self.end = ResponseEnd.UNANSWERED
        exchanges.open[self.model] += 1
        self._in_flight = exchanges.open[self.model]

    async def run(self, open_response: Awaitable[httpx.Response], client: Client) -> Failure | None:
        """Pass the answer on. A failure is what the client is to get instead: nothing was begun.

        Leaves the response closed.
        """
        try:
            try:
                response = await open_response
            except httpx.TimeoutException:
                self.end = ResponseEnd.TIMEOUT
                return TIMEOUT
            except httpx.HTTPError:
                return UNREACHABLE
            try:
                return await self._answered(response, client)
            finally:
                await response.aclose()
        except asyncio.CancelledError:
            self.end = ResponseEnd.LEFT
            raise
        finally:
            self._exchanges.open[self.model] -= 1
            self._ended_at = self._since()

    async def _answered(self, response: httpx.Response, client: Client) -> Failure | None:
        headers = to_client(response.headers.multi_items())
        self._status, self._headers, self._head_at = response.status_code, headers, self._since()
        if response.is_redirect:
            self.end = ResponseEnd.WHOLE
            return REDIRECTED
        await client.begin(response.status_code, headers)
        try:
            async for content in response.aiter_raw():
                in_flight = self._exchanges.open[self.model]
                self._frames.append(
                    RecordedFrame(at=self._since(), body=Payload.of(content), in_flight=in_flight)
                )
                if not await client.frame(content):
                    self.end = ResponseEnd.LEFT
                    return None
        except httpx.TimeoutException:
            self.end = ResponseEnd.TIMEOUT
        except httpx.HTTPError:
            self.end = ResponseEnd.CUT
        else:
            self.end = ResponseEnd.WHOLE
        return None

    def recording(self) -> Recording:
        """What is to be kept, once it has ended."""
        correlation = {name: value for name, value in self._request.headers if name in CORRELATION}
        response = RecordedResponse(
            status=self._status,
            headers=self._headers,
            at=self._head_at,
            frames=self._frames,
            end=self.end,
            ended=self._ended_at,
        )
        return Recording(
            id=f"rec_{secrets.token_hex(16)}",
            arrived=self._arrived,
            provider=self._provider,
            endpoint=self._request.path,
            model=self.model,
            stream=self._stream,
            request=self._request,
            response=response,
            in_flight=self._in_flight,
            correlation=correlation,
        )

    def _since(self) -> float:
        return round(self._exchanges.clock() - self._began, 6)
