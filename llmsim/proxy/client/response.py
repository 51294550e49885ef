"""An answer as it comes from a service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from llmsim.core import Headers

FIRST: Final = 256 * 1024
"""Bytes of a body that may come before somebody reads it."""

Frame = Callable[[bytes], bool]
"""Takes a piece of a body; False wants no more."""


class ServiceError(Exception):
    """A service cannot be reached, breaks off, or speaks no HTTP."""


class ServiceTimeout(ServiceError):  # noqa: N818  named for what it says
    """A service has said nothing for too long."""


class ServiceConnection(Protocol):
    """The connection that an answer comes by, as far as the answer knows it."""

    def hold(self, response: ServiceResponse, /) -> None:
        """Read no more of this answer."""
        ...

    def go_on(self, response: ServiceResponse, /) -> None:
        """Read again."""
        ...

    def let_go(self, response: ServiceResponse, /) -> None:
        """Nobody wants the rest of it."""
        ...


class ServiceResponse:
    """An answer whose head has come, or is to come.

    ``timeout`` is for how many seconds the service may say nothing while it is read.
    """

    def __init__(self, connection: ServiceConnection, timeout: float) -> None:
        self.status = 0
        self.headers: Headers = []
        self._connection = connection
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._head: asyncio.Future[None] = self._loop.create_future()
        self._end: asyncio.Future[None] = self._loop.create_future()
        self._frame: Frame | None = None
        self._early: list[bytes] = []
        self._early_bytes = 0
        self._held = False
        self._heard = 0.0

    async def begun(self) -> None:
        """Wait for the head. Raises ServiceError; whoever gives up lets go of the answer."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._head
        except TimeoutError:
            self.close()
            raise ServiceTimeout("no answer in time") from None
        except BaseException:
            self.close()
            raise

    async def each(self, frame: Frame) -> None:
        """Give each piece of the body to ``frame`` at once when it comes, up to the end or until no
        more are wanted. Raises ServiceError, and whatever ``frame`` raises."""
        self.go_on()
        self._frame, early, self._early = frame, self._early, []
        for content in early:
            if not frame(content):
                return
        self._watch = self._loop.call_later(self._timeout, self._look)
        try:
            await self._end
        finally:
            self._watch.cancel()
            self._frame = _nobody

    def hold(self) -> None:
        """Read no more of it for now."""
        if not (self._held or self._end.done()):
            self._held = True
            self._connection.hold(self)

    def go_on(self) -> None:
        """Read again."""
        self._heard = self._loop.time()
        if self._held and not self._end.done():
            self._held = False
            self._connection.go_on(self)

    def close(self) -> None:
        """Let go of what has not come yet."""
        if not self._end.done():
            self.end(ServiceError("let go of"))
            self._connection.let_go(self)

    # What follows is for the connection.

    def begin(self, status: int, headers: Headers) -> None:
        """The head has come."""
        self.status, self.headers = status, headers
        if not self._head.done():
            self._head.set_result(None)

    def add(self, content: bytes) -> None:
        """A piece of the body has come."""
        if self._end.done():
            return
        frame = self._frame
        if frame is None:
            self._early.append(content)
            self._early_bytes += len(content)
            if self._early_bytes > FIRST:
                self.hold()
            return
        self._heard = self._loop.time()
        try:
            wanted = frame(content)
        except BaseException as error:
            self._stop(error)
        else:
            if not wanted:
                self._stop(None)

    def end(self, error: ServiceError | None = None) -> None:
        """Nothing more comes."""
        for waiting in (self._head, self._end):
            if waiting.done():
                continue
            if error is None:
                waiting.set_result(None)
            else:
                waiting.set_exception(error)
                waiting.exception()  # nobody need wait for it

    def _stop(self, error: BaseException | None) -> None:
        """What reads it has had enough."""
        if error is None:
            self._end.set_result(None)
        else:
            self._end.set_exception(error)
        self._connection.let_go(self)

    def _look(self) -> None:
        """See whether the service has said something lately."""
        left = self._heard + self._timeout - self._loop.time()
        if self._held:
            left = self._timeout
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
        elif not self._end.done():
            self.end(ServiceTimeout("nothing for too long"))
            self._connection.let_go(self)


def _nobody(content: bytes) -> bool:
    return False


def decoded(headers: list[tuple[bytes, bytes]]) -> Headers:
    """Headers as text, with their names in lower case."""
    return [(name.decode("latin-1").lower(), _text(value)) for name, value in headers]


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
