"""An answer on its way from its service to a client, frame by frame as it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from llmsim.core import ConnectionEnd, Headers, Playback, Usage
from llmsim.core.errors import Failure, FailureKind
from llmsim.core.upstream.answer import FrameShaper
from llmsim.engine.tokens.ranks import encoding
from llmsim.proxy.background import in_background
from llmsim.proxy.exchange import TIMEOUT, Exchange
from llmsim.recordings.answers import UsageReader
from llmsim.recordings.recording import ResponseEnd

LOOK: Final = 1 << 20
"""Bytes between two looks at how far a client has come, at most."""

TOKENIZER: Final = "o200k_base"

LAST: Final = 1.0
"""Seconds that a service has to end an answer whose last event it has sent."""

LAST_EVENTS: Final = (
    b"data: [DONE]",
    b"message_stop",
    b"response.completed",
    b"response.failed",
    b"response.incomplete",
    b'"finishReason"',
)
"""What is in the last event of a stream."""

PAUSE: Final = 0.01
"""Seconds from one look at a slow client to the next."""

BROKE_OFF: Final = Failure(FailureKind.BAD_GATEWAY, "The upstream service broke off.")
ENDS: Final = {
    ResponseEnd.CUT: (ConnectionEnd.CUT, BROKE_OFF),
    ResponseEnd.TIMEOUT: (ConnectionEnd.CUT, TIMEOUT),
}


class Leaving(Protocol):
    """Whoever waits for an answer."""

    async def left(self) -> None:
        """Return when they have gone."""
        ...


class ServiceAnswer:
    """An answer whose head has come: an :class:`~llmsim.core.upstream.UpstreamAnswer`, and the
    :class:`~llmsim.core.plan.Deferred` that passes the rest on.

    No more is read from the service while ``max_unsent`` bytes or more wait for the client.
    ``over`` is called with the exchange when it has ended.
    """

    def __init__(
        self,
        exchange: Exchange,
        client: Leaving,
        max_unsent: int,
        over: Callable[[Exchange], None],
    ) -> None:
        self._exchange = exchange
        self._client = client
        self._most = max_unsent // 2
        self._look = min(LOOK, max_unsent // 8)
        self._over = over
        self._shaper: FrameShaper | None = None
        self._prompt: int | None = None
        self._begun = self._passed = False
        self._latest = b""
        self._sent = self._looked = 0
        self._held: deque[int] = deque()
        self._usage = UsageReader()
        self.status = exchange.status
        self.waited = exchange.waited
        self.headers: Headers = []
        self.length: int | None = None
        for name, value in exchange.headers:
            if name == "content-length" and value.isdecimal():
                self.length = int(value)
            else:
                self.headers.append((name, value))

    def deferred(self, prompt_tokens: int, shaper: FrameShaper | None) -> ServiceAnswer:
        """The same, as what passes the rest on."""
        self._prompt, self._shaper = prompt_tokens, shaper
        return self

    def uncounted(self) -> ServiceAnswer:
        """The same where nobody wants to know of tokens."""
        return self

    def begin(self, playback: Playback) -> None:
        """The response has been opened: pass the body on."""
        self._begun = True
        in_background(self._play(playback))

    def release(self) -> None:
        """Let go of an answer that was never begun to be passed on."""
        if not self._begun:
            self._begun = True
            self._exchange.leave()
            self._over(self._exchange)

    async def _play(self, playback: Playback) -> None:
        playing = asyncio.current_task()
        assert playing is not None
        loop = asyncio.get_running_loop()

        def left(done: asyncio.Future[None]) -> None:
            if not done.cancelled() and not self._passed:
                # Who has the last event may leave before its service has ended the answer.
                patience = LAST if self._all_said else 0.0
                loop.call_later(patience, lambda: self._passed or playing.cancel())

        leaving = asyncio.ensure_future(self._client.left())
        leaving.add_done_callback(left)
        _ = playback.unread  # from here on it counts

        try:
            await self._exchange.pass_on(partial(self._frame, playback))
            self._passed = True
            self._ended(playback, await self._taken())
        except asyncio.CancelledError:
            playback.abandon()
        except BaseException:
            playback.abandon()
            raise
        finally:
            self._passed = True
            leaving.cancel()
            self._over(self._exchange)

    def _frame(self, playback: Playback, content: bytes) -> bool:
        """Pass a frame on; False if no more are wanted."""
        if self._prompt is not None:
            self._usage.add(content)
        at, shaper = playback.elapsed, self._shaper
        if shaper is None:
            if not playback.add(content, at):
                return False
        else:
            for piece, due in shaper.shaped(content, at):
                self._held.append(len(piece))
                if not playback.add(piece, due):
                    return False
            if shaper.over:
                return False
        self._sent += len(content)
        self._latest = content
        if self._sent - self._looked >= self._look:
            self._looked = self._sent
            self._keep_up(playback)
        return True

    def _keep_up(self, playback: Playback) -> None:
        """Read no more while much waits for the client."""
        if self._waiting(playback) > self._most and not self._passed:
            self._exchange.hold()
            asyncio.get_running_loop().call_later(PAUSE, self._keep_up, playback)
        else:
            self._exchange.go_on()

    @property
    def _all_said(self) -> bool:
        """Whether what was passed on looks like the end of the answer."""
        if self.length is not None:
            return self._sent >= self.length
        return any(one in self._latest for one in LAST_EVENTS)

    def _waiting(self, playback: Playback) -> int:
        """How many bytes wait: those of frames that are not due yet, and those not read."""
        held = self._held
        while len(held) > playback.pending:
            held.popleft()
        return sum(held) + playback.unread

    async def _taken(self) -> Usage | None:
        """The tokens of prompt and answer; None where they do not matter, or are as expected."""
        if self._prompt is None:
            return None
        said = self._usage.usage()
        if said is not None:
            return Usage(said.prompt, said.completion, said.reasoning, said.cached)
        if not self._exchange.stream or self.status >= 400:
            return None
        encode = encoding(TOKENIZER).encode_ordinary
        completion = await asyncio.to_thread(self._usage.tokens, lambda text: len(encode(text)))
        return Usage(self._prompt, completion)

    def _ended(self, playback: Playback, usage: Usage | None) -> None:
        shaper = self._shaper
        ending, failure = ENDS.get(self._exchange.end, (ConnectionEnd.WHOLE, None))
        if shaper is not None:
            if self._exchange.end is ResponseEnd.WHOLE:
                for piece, due in shaper.rest(playback.elapsed):
                    playback.add(piece, due)
            ending, failure = shaper.ending or ending, shaper.failure or failure
        playback.end(ending, usage, failure)
