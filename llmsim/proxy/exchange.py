"""One request that is passed on, and its answer as it comes back."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

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


class Exchanges:
    """The exchanges of one process: how many are open to each model, and their clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.open: Counter[str] = Counter()


class Exchange:
    """One of them, and what is noted of it.

    ``provider`` is whose service it is for; ``arrived`` is a Unix time. What is not ``noted`` can
    not be recorded. Begun by :meth:`open`, passed on by :meth:`pass_on`; whoever does neither to
    the end has to :meth:`leave`.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        provider: str,
        request: RecordedRequest,
        arrived: float,
        noted: bool = True,
    ) -> None:
        self._exchanges = exchanges
        self._provider = provider
        self._request = request
        self._arrived = arrived
        self._noted = noted
        self._began = exchanges.clock()
        self._response: httpx.Response | None = None
        self.model, self.stream = asked(request.path, request.body.content)
        self._frames: list[RecordedFrame] = []
        self.status, self.waited = 0, 0.0
        self.headers: Headers = []
        self.end = ResponseEnd.UNANSWERED
        self._ended_at = 0.0
        exchanges.open[self.model] += 1
        self._in_flight = exchanges.open[self.model]

    async def open(self, opening: Awaitable[httpx.Response]) -> Failure | None:
        """Have the service answer: its head is known then. A failure is what the client is to get
        instead, and the end."""
        try:
            self._response = response = await opening
        except httpx.TimeoutException:
            await self._over(ResponseEnd.TIMEOUT)
            return TIMEOUT
        except httpx.HTTPError:
            await self._over(ResponseEnd.UNANSWERED)
            return UNREACHABLE
        except BaseException:
            await self._over(ResponseEnd.LEFT)
            raise
        self.headers = to_client(response.headers.multi_items())
        self.status, self.waited = response.status_code, self._since()
        if response.is_redirect:
            await self._over(ResponseEnd.WHOLE)
            return REDIRECTED
        return None

    async def pass_on(self, frame: Callable[[bytes], Awaitable[bool]]) -> None:
        """Give each frame of the body to ``frame`` as it comes, until that says that no more are
        wanted; ``end`` says then how it ended."""
        assert self._response is not None
        end = ResponseEnd.LEFT
        try:
            async for content in self._response.aiter_raw():
                if self._noted:
                    in_flight = self._exchanges.open[self.model]
                    at, body = self._since(), Payload.of(content)
                    self._frames.append(RecordedFrame(at=at, body=body, in_flight=in_flight))
                if not await frame(content):
                    break
            else:
                end = ResponseEnd.WHOLE
        except httpx.TimeoutException:
            end = ResponseEnd.TIMEOUT
        except httpx.HTTPError:
            end = ResponseEnd.CUT
        finally:
            await self._over(end)

    async def leave(self) -> None:
        """Let go of the service: nobody wants its answer any more."""
        await self._over(ResponseEnd.LEFT)

    async def _over(self, end: ResponseEnd) -> None:
        if self._ended_at:
            return
        self.end, self._ended_at = end, self._since() or 1e-6
        self._exchanges.open[self.model] -= 1
        if not self._exchanges.open[self.model]:
            del self._exchanges.open[self.model]
        if self._response is not None:
            await self._response.aclose()

    def recording(self) -> Recording:
        """What is to be kept, once it has ended."""
        correlation = {name: value for name, value in self._request.headers if name in CORRELATION}
        response = RecordedResponse(
            status=self.status,
            headers=self.headers,
            at=self.waited,
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
            stream=self.stream,
            request=self._request,
            response=response,
            in_flight=self._in_flight,
            correlation=correlation,
        )

    def _since(self) -> float:
        return round(self._exchanges.clock() - self._began, 6)
