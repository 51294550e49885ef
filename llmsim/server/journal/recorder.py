"""The details of a request: why it was answered as it was, and how its frames left.

They cost a few microseconds, so a worker keeps them of so many requests a second: of all that a
person or a test sends, and of a share of what a load test does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from llmsim.config import Config
from llmsim.core import Completion, Finish, Headers, Plan
from llmsim.core.api_keys import masked
from llmsim.core.errors import Failure
from llmsim.core.state import Caller, HeldLimits
from llmsim.pipeline.context import Call
from llmsim.recordings import credentials
from llmsim.server.journal.frame_times import MOST_BYTES, FrameTimes
from llmsim.state.shm.request_details import RequestDetails, encoded

MOST_OPEN = 1000
"""Requests of a worker whose details are collected at a time, where those of every stream are."""
MOST_SAMPLED = 100
"""The same where they are not: each takes tens of kilobytes until its stream ends."""
MOST_HEADERS = 64
MOST_VALUE = 2048
"""Characters of a header, or of a message, that are kept."""

FINISH_REASONS: Mapping[Finish, str] = {
    Finish.STOP: "stop",
    Finish.LENGTH: "length",
    Finish.TOOLS: "tool_calls",
    Finish.FILTER: "content_filter",
}


class Recorders:
    """Decides whose details one worker keeps; ``config`` gives the configuration in effect."""

    def __init__(self, config: Callable[[], Config], clock: Callable[[], int]) -> None:
        settings = config().journal
        self._most = settings.details_per_second
        self._frames = settings.frames
        self._config = config
        self._clock = clock
        self._second = -1
        self._taken = 0
        self._named: tuple[Config | None, Mapping[str, str]] = (None, {})
        self.open = 0

    def recorder(self, call: Call, plan: Plan, start: int) -> RequestRecorder | None:
        """What collects the details of a request that arrived at ``start`` (µs of the clock); None
        if none are kept."""
        most = MOST_OPEN
        if not (self._frames and plan.stream):
            most = MOST_SAMPLED
            second = start // 1_000_000
            if second != self._second:
                self._second, self._taken = second, 0
            if self._taken >= self._most:
                return None
            self._taken += 1
        if self.open >= most:
            return None
        self.open += 1
        return RequestRecorder(self, call, plan, start)

    def watch(self, start: int) -> FrameTimes:
        """The times of a stream that began at ``start``."""
        return FrameTimes(start, self._clock)

    def names(self) -> Mapping[str, str]:
        """The names of API keys."""
        config = self._config()
        if config is not self._named[0]:
            self._named = config, {one.key: one.name for one in config.keys if one.name}
        return self._named[1]


class RequestRecorder:
    """Collects the details of one request until it ends."""

    __slots__ = (
        "_finish_reasons",
        "_head",
        "_headers",
        "_key",
        "_override",
        "_recorders",
        "_recording",
        "_rule",
        "_start",
        "_times",
        "_url",
        "_whole",
    )

    def __init__(self, recorders: Recorders, call: Call, plan: Plan, start: int) -> None:
        self._recorders = recorders
        self._finish_reasons = _finish_reasons(plan.completion)
        self._start = start
        self._url, self._key = "", ""
        self._headers: Headers = []
        if call.caller is not None:
            auth, caller = call.endpoint.provider.auth, call.caller
            names = recorders.names()
            self._key = masked(auth.key(caller.header, caller.query), names)
            self._url = _url(caller)
            self._headers = _headers(caller)
        self._rule, self._override, self._recording = call.rule, call.override, call.recording
        self._head: Headers = []
        self._whole = b""
        self._times: FrameTimes | None = None

    def answered(self, head: Headers, body: bytes = b"") -> None:
        """The answer begins with ``head``; ``body`` is all of it where it is no stream."""
        self._head, self._whole = head, body

    def watch(self) -> FrameTimes:
        """Who looks on while the answer, a stream, is sent."""
        self._times = self._recorders.watch(self._start)
        return self._times

    def watched(self, plan: Plan) -> Plan:
        """The plan of a stream, looked at while it is sent."""
        return self.watch().plan(plan)

    @property
    def due_at(self) -> Callable[[int, Sequence[int]], None] | None:
        """Who is to be told of a stream under load when its frames are due."""
        return None if self._times is None else self._times.due_at

    def ended(
        self, failure: Failure | None, held: HeldLimits | None, tokens: tuple[int, int, int, int]
    ) -> bytes:
        """The details, once the request has ended."""
        self._recorders.open -= 1
        times, answer = self._times, self._whole
        size, due, left = len(answer), b"", b""
        if times is not None:
            answer, size = times.answer, times.size
            due, left = times.planned.tobytes(), times.left.tobytes()
        return encoded(
            RequestDetails(
                self._url,
                self._headers,
                self._key,
                self._head,
                answer[:MOST_BYTES],
                size,
                "" if failure is None else failure.message[:MOST_VALUE],
                self._rule,
                self._override,
                self._recording,
                [] if held is None else held.effects(tokens),
                due,
                left,
                self._finish_reasons if failure is None else [],
            )
        )


def _finish_reasons(completion: Completion | None) -> list[str]:
    """Why each choice is to end, in the words of OpenAI's chat."""
    if completion is None or completion.made is not None:
        return []
    return [choice.reason or FINISH_REASONS[choice.finish] for choice in completion.choices]


def _headers(caller: Caller) -> Headers:
    return [
        (name, _shown(name, (caller.header(name) or "")[:MOST_VALUE]))
        for name in caller.names()[:MOST_HEADERS]
    ]


def _shown(name: str, value: str) -> str:
    if not credentials.in_header(name):
        return value
    scheme, secret = credentials.parted(value)
    return scheme + masked(secret, {})


def _url(caller: Caller) -> str:
    """Path and query, the values of secret parameters masked."""
    path = caller.path[:MOST_VALUE]
    if not caller.query:
        return path
    parts = []
    for part in caller.query[:MOST_VALUE].split("&"):
        name, equals, value = part.partition("=")
        secret = credentials.in_parameter(name)
        parts.append(f"{name}{equals}{masked(value, {})}" if secret else part)
    return f"{path}?{'&'.join(parts)}"
