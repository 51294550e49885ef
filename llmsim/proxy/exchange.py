"""One request that is passed on, and its answer as it comes back."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from llmsim.core import Headers
from llmsim.core.errors import Failure, FailureKind
from llmsim.proxy.client.response import Frame, ServiceError, ServiceTimeout
from llmsim.proxy.headers import to_client
from llmsim.recordings.answers import asked
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
    ResponseEnd,
    Transport,
)

CORRELATION: Final = ("x-request-id", "traceparent", "x-client-request-id")
"""Headers that join an exchange with other systems."""

REDIRECTS: Final = (301, 302, 303, 307, 308)

TIMEOUT: Final = Failure(FailureKind.TIMEOUT, "The upstream service did not answer in time.")
UNREACHABLE: Final = Failure(
    FailureKind.BAD_GATEWAY, "The upstream service could not be reached, or broke off."
)
REDIRECTED: Final = Failure(
    FailureKind.BAD_GATEWAY, "The upstream service redirects elsewhere, which is not followed."
)


class Incoming(Protocol):
    """An answer as it comes: a :class:`~llmsim.proxy.client.response.ServiceResponse`, or a turn
    over a WebSocket."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Headers: ...

    async def each(self, frame: Frame, /) -> None:
        """Give each piece of the body to ``frame`` when it comes, until that wants no more. Raises
        ServiceError."""
        ...

    def hold(self) -> None:
        """Read no more of it for now."""
        ...

    def go_on(self) -> None:
        """Read again."""
        ...

    def close(self) -> None:
        """Let go of what has not come yet."""
        ...


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
        self._response: Incoming | None = None
        self.model, self.stream = asked(request.path, request.body.content)
        self.stream |= request.transport is Transport.WEBSOCKET
        self._frames: list[RecordedFrame] = []
        self.status, self.waited = 0, 0.0
        self.headers: Headers = []
        self.end = ResponseEnd.UNANSWERED
        self._ended_at = 0.0
        exchanges.open[self.model] += 1
        self._in_flight = exchanges.open[self.model]

    async def open(self, opening: Awaitable[Incoming]) -> Failure | None:
        """Have the service answer: its head is known then. A failure is what the client is to get
        instead, and the end."""
        try:
            self._response = response = await opening
        except ServiceTimeout:
            self.finish(ResponseEnd.TIMEOUT)
            return TIMEOUT
        except ServiceError:
            self.finish(ResponseEnd.UNANSWERED)
            return UNREACHABLE
        except BaseException:
            self.finish(ResponseEnd.LEFT)
            raise
        self.begin(response.status, to_client(response.headers))
        if response.status in REDIRECTS:
            self.finish(ResponseEnd.WHOLE)
            return REDIRECTED
        return None

    async def pass_on(self, frame: Frame) -> None:
        """Give each frame of the body to ``frame`` when it comes, until that says that no more are
        wanted; ``end`` says then how it ended."""
        assert self._response is not None
        end = wanted = ResponseEnd.LEFT

        def came(content: bytes) -> bool:
            nonlocal wanted
            self.note(content)
            if frame(content):
                return True
            wanted = ResponseEnd.LEFT
            return False

        try:
            wanted = ResponseEnd.WHOLE
            await self._response.each(came)
            end = wanted
        except ServiceTimeout:
            end = ResponseEnd.TIMEOUT
        except ServiceError:
            end = ResponseEnd.CUT
        finally:
            self.finish(end)

    def hold(self) -> None:
        """Read no more from the service for now."""
        if self._response is not None:
            self._response.hold()

    def go_on(self) -> None:
        """Read again."""
        if self._response is not None:
            self._response.go_on()

    def note(self, content: bytes) -> None:
        """Note a frame that has just come."""
        if self._noted:
            in_flight = self._exchanges.open[self.model]
            at, body = self._since(), Payload.of(content)
            self._frames.append(RecordedFrame(at=at, body=body, in_flight=in_flight))

    def leave(self) -> None:
        """Let go of the service: nobody wants its answer any more."""
        self.finish(ResponseEnd.LEFT)

    def begin(self, status: int, headers: Headers) -> None:
        """The head of the answer has come."""
        self.status, self.headers, self.waited = status, headers, self._since()

    def finish(self, end: ResponseEnd) -> None:
        """It has ended in this way, unless it had before; the service is let go of."""
        if self._ended_at:
            return
        self.end, self._ended_at = end, self._since() or 1e-6
        self._exchanges.open[self.model] -= 1
        if not self._exchanges.open[self.model]:
            del self._exchanges.open[self.model]
        if self._response is not None:
            self._response.close()

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
