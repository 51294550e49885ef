"""Sends requests when they are due, however many are still unanswered, and measures the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import httpx
from msgspec import Struct

from llmsim.core import Headers
from llmsim.providers.registry import PROVIDERS
from llmsim.proxy.headers import HOP_BY_HOP
from llmsim.proxy.upstreams import Upstream
from llmsim.recordings.answers import FrameTokens, usage
from llmsim.sending.requests import TimedRequest

NOT_SENT: Final = frozenset({"host", "content-length", "accept-encoding", "via"})
PERIOD: Final = 0.5
"""Seconds from one look at the progress to the next."""


class SendSettings(NamedTuple):
    """``speed`` 2 sends twice as fast as it came. Not more than ``most`` requests are open at a
    time: those that are due then leave late, which is measured (None: no bound). ``key`` is sent
    in each provider's own way; ``headers`` are sent in the place of recorded ones. ``timeout`` is
    for how many seconds a server may say nothing."""

    target: str
    speed: float = 1.0
    most: int | None = None
    key: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = 600.0


class Answer(Struct, gc=False):
    """What became of a request. Times are in seconds: ``late`` is how much later than it was due
    it left, ``ttft`` and ``total`` count from when it left. ``status`` 0 and ``problem`` say that
    there was no answer, or not the whole of it; tokens are those that the server tells."""

    asked: TimedRequest
    late: float
    status: int = 0
    problem: str = ""
    ttft: float | None = None
    total: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def good(self) -> bool:
        """Whether it is an answer, and whole."""
        return 200 <= self.status < 300 and not self.problem


class SendingProgress(Struct, gc=False):
    """How far the sending is."""

    sent: int = 0
    open: int = 0
    most_open: int = 0
    answered: int = 0
    failed: int = 0
    begun: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.begun


class OpenLoopSender:
    """Sends requests to one server. ``answers`` are those that have come, ``progress`` counts."""

    def __init__(self, settings: SendSettings) -> None:
        self._settings = settings
        self.answers: list[Answer] = []
        self.progress = SendingProgress()

    async def send(
        self, requests: Iterable[TimedRequest], look: Callable[[SendingProgress], None]
    ) -> None:
        """Send them all and wait for the answers; ``look`` is called now and then. Cancelled, it
        sends no more and leaves what is open unanswered."""
        settings, progress = self._settings, self.progress
        slots = None if settings.most is None else asyncio.Semaphore(settings.most)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        client = httpx.AsyncClient(
            limits=limits,
            timeout=httpx.Timeout(settings.timeout, connect=30.0),
            trust_env=False,
        )
        progress.begun = begun = time.monotonic()
        looking = asyncio.create_task(_looking(progress, look))
        try:
            async with client, asyncio.TaskGroup() as group:
                for one in requests:
                    due = begun + one.due / settings.speed
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    if slots is not None:
                        await slots.acquire()
                    progress.sent += 1
                    progress.open += 1
                    progress.most_open = max(progress.most_open, progress.open)
                    group.create_task(self._one(client, one, due, slots))
        finally:
            looking.cancel()

    async def _one(
        self,
        client: httpx.AsyncClient,
        one: TimedRequest,
        due: float,
        slots: asyncio.Semaphore | None,
    ) -> None:
        progress = self.progress
        try:
            answer = await self._answer(client, one, due)
            self.answers.append(answer)
            progress.answered += 1
            progress.failed += not answer.good
        finally:
            progress.open -= 1
            if slots is not None:
                slots.release()

    async def _answer(self, client: httpx.AsyncClient, one: TimedRequest, due: float) -> Answer:
        settings = self._settings
        url = Upstream(one.provider, settings.target).target(one.path, one.query)
        headers = sent_headers(one, settings)
        left = time.monotonic()
        answer = Answer(one, max(0.0, left - due))
        first = FirstToken()
        parts: list[bytes] = []
        try:
            async with client.stream(
                one.method, url, content=one.body, headers=headers
            ) as response:
                answer.status = response.status_code
                async for part in response.aiter_raw():
                    parts.append(part)
                    if answer.ttft is None and first.in_(part):
                        answer.ttft = time.monotonic() - left
        except httpx.HTTPError as error:
            answer.problem = type(error).__name__
        answer.total = time.monotonic() - left
        used = usage(b"".join(parts))
        if used is not None:
            answer.prompt_tokens, answer.completion_tokens = used.prompt, used.completion
        return answer


class FirstToken:
    """Looks for the first token in the parts of a stream."""

    def __init__(self) -> None:
        self._tokens = FrameTokens(lambda _: 1)

    def in_(self, part: bytes) -> bool:
        """Whether this part has brought a token."""
        return self._tokens.of(part) > 0


def sent_headers(one: TimedRequest, settings: SendSettings) -> Headers:
    """The head of a request as it is sent: the recorded one, with the key where its provider looks
    for it, and without what is of one connection."""
    own = {name.lower(): value for name, value in settings.headers}
    if settings.key:
        provider = next((each for each in PROVIDERS if each.name == one.provider), PROVIDERS[0])
        name = provider.auth.headers[0]
        own.setdefault(name, f"Bearer {settings.key}" if name == "authorization" else settings.key)
    refused = NOT_SENT | HOP_BY_HOP | own.keys()
    kept = [(name, value) for name, value in one.headers if name.lower() not in refused]
    return [*kept, ("accept-encoding", "identity"), *own.items()]


async def _looking(progress: SendingProgress, look: Callable[[SendingProgress], None]) -> None:
    while True:
        await asyncio.sleep(PERIOD)
        look(progress)


def _quicker_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where there is one."""
    try:
        import uvloop  # noqa: PLC0415  there is none for Windows
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


def sent(
    requests: Iterable[TimedRequest],
    settings: SendSettings,
    look: Callable[[SendingProgress], None],
) -> tuple[Sequence[Answer], SendingProgress]:
    """Send requests, and give what came of them: of those until then when it is interrupted."""
    sender = OpenLoopSender(settings)
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_quicker_loop()) as runner:
        runner.run(sender.send(requests, look))
    return sender.answers, sender.progress
