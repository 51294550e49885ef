"""A run: turns past the gateway and through it, each joined and split, and the report of it all."""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult

import numpy as np
import orjson

from llmsim.overhead import summary
from llmsim.overhead.answers import seen
from llmsim.overhead.dialects import DIALECTS, prompt
from llmsim.overhead.frames import COMPARED, StreamBody, frame_changes
from llmsim.overhead.headers import header_changes, request_header_changes
from llmsim.overhead.joining import Joined, joined, marker, traceparent
from llmsim.overhead.journal import JournalReader
from llmsim.overhead.load_client import LoadClient, RawAnswer, SendTimes, destination
from llmsim.overhead.processors import Processors
from llmsim.overhead.report import VERSION, OverheadReport, Ramp, RampStep
from llmsim.overhead.settings import OverheadSettings
from llmsim.overhead.summary import SideResult

SETTLE: Final = 0.05
"""Seconds after the last answer in which llmsim books its end."""
SPREAD: Final = 0.5
"""Part of a turn, and at most seconds, over which streams that are kept open begin."""
STEP_FACTOR: Final = 1.5
KEPT_UP: Final = 0.9
"""Part of the offered rate that counts as all of it."""
GRACE: Final = 0.25
"""Seconds by which the last answers of a turn may be late whatever its length."""
ERRORS: Final = 0.01
SHORT: Final = 2.0
"""Seconds below which a step of a ramp says little."""
PORTS: Final = {"http": 80, "https": 443}

Progress = Callable[[float, str], None]
"""Called with how much of the run is done, 0 to 1, and what is going on."""


class OverheadError(Exception):
    """Nothing can be measured; the message says why."""


@dataclass(slots=True)
class Way:
    """One of the two ways: its name, how to send, and what has come of it."""

    name: str
    client: LoadClient
    result: SideResult


class OverheadRun:
    """One run. Raises OverheadError, JournalError and OSError. ``close`` ends its connections."""

    def __init__(
        self,
        settings: OverheadSettings,
        on_progress: Progress = lambda part, text: None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._progress = on_progress
        self._dialect = DIALECTS[settings.dialect]
        self._run = secrets.token_hex(4)
        self._next = 0
        self._journal = JournalReader(settings.upstream, settings.token, context)
        self._context = context
        self._direct = self._way("direct", settings.upstream, settings.upstream_model)
        self._through = self._way("gateway", settings.gateway, settings.model)
        self._bodies: list[StreamBody] = []
        self._processors = Processors()
        self._steps: list[RampStep] = []
        self._part = 0.0

    def close(self) -> None:
        self._direct.client.close()
        self._through.client.close()
        self._journal.close()

    def measure(self) -> OverheadReport:
        """All of it."""
        settings = self._settings
        started = time.time()
        self._journal.since(started)
        self._warm_up()
        self._processors.restart()
        if settings.ramp is not None:
            self._ramp(*settings.ramp)
        else:
            length = settings.duration / (2 * settings.turns)
            for turn in range(settings.turns):
                # Direct first and second in turn: what drifts is in both alike.
                ways = (self._direct, self._through)
                for way in ways if turn % 2 == 0 else reversed(ways):
                    way.result.add(self._turn(way, self._times(length, settings.rate, turn)))
                    self._part += 1 / (2 * settings.turns)
        return self._report(started)

    def _way(self, name: str, url: SplitResult, model: str | None) -> Way:
        settings, dialect = self._settings, self._dialect
        asked = model or settings.model
        host = url.hostname or ""
        context = None
        if url.scheme == "https":
            context = self._context or ssl.create_default_context()
        to = destination(host, url.port or PORTS[url.scheme], url.netloc, context)
        key, prefix = dialect.key
        head = [
            f"host: {url.netloc}",
            "content-type: application/json",
            "accept-encoding: identity",
            "user-agent: llmsim-overhead",
            f"{key}: {prefix}{settings.api_key}",
            *(f"{header}: {value}" for header, value in (*dialect.headers, *settings.headers)),
        ]

        def request(number: int) -> bytes:
            stream = self.streamed(number)
            mark = marker(self._run, number)
            body = dialect.body(
                asked, prompt(mark, settings.prompt_tokens), settings.max_tokens, stream
            )
            content = orjson.dumps(body)
            lines = [
                f"POST {url.path}{dialect.target(asked, stream)} HTTP/1.1",
                *head,
                f"x-request-id: {mark}",
                f"traceparent: {traceparent(self._run, number)}",
                f"content-length: {len(content)}",
            ]
            return "\r\n".join([*lines, "", ""]).encode() + content

        return Way(
            name,
            LoadClient(to, request, settings.timeout),
            SideResult(dialect.head_at_once),
        )

    def streamed(self, number: int) -> bool:
        """Whether the request of that number asks for a stream."""
        answers = self._settings.answers
        return answers == "streams" or (answers == "both" and number % 2 == 0)

    def _times(self, length: float, rate: float, turn: int) -> SendTimes:
        """When the requests of a turn are due. Both ways have the same times in their turns."""
        settings = self._settings
        if settings.streams is not None and settings.ramp is None:
            spread = min(length * SPREAD, SPREAD)
            starts = [spread * at / settings.streams for at in range(settings.streams)]
            return SendTimes(starts, again_until=length)
        number = max(round(rate * length), 1)
        if settings.arrivals == "constant":
            return SendTimes([at / rate for at in range(number)])
        random = np.random.default_rng((settings.seed, turn))
        # A Poisson process, so many arrivals being known: each is anywhere in the turn.
        return SendTimes([float(at) for at in random.uniform(0, length, number)])

    def _turn(self, way: Way, times: SendTimes) -> list[Joined]:
        begun = time.time()
        answers = self._answers(way, times)
        time.sleep(SETTLE)
        self._progress(self._part, f"{way.name}: reading llmsim's journal")
        answers.sort(key=lambda one: one.number)
        looked = [seen(one, self._dialect, self.streamed(one.number)) for one in answers]
        found = joined(looked, self._journal, self._run, begun)
        if way is self._through:
            self._keep(answers, found)
        return found

    def _answers(self, way: Way, times: SendTimes) -> list[RawAnswer]:
        """Send, each request with a number that no other of the run has."""

        def tick(done: int, in_flight: int) -> None:
            self._progress(self._part, f"{way.name}: {done} answered, {in_flight} in flight")

        answers = way.client.turn(times, self._next, tick)
        self._next = max((one.number for one in answers), default=self._next) + 1
        return answers

    def _keep(self, answers: Sequence[RawAnswer], found: Sequence[Joined]) -> None:
        """Keep the bodies of some streams, to compare their events."""
        for answer, one in zip(answers, found, strict=True):
            if len(self._bodies) >= COMPARED:
                return
            if one.seen.stream and one.seen.error is None and len(one.records) == 1:
                self._bodies.append(StreamBody(one.records[0].id, bytes(answer.response.body)))

    def _warm_up(self) -> None:
        """Requests that do not count: models are loaded, connections made. Raises OverheadError if
        none is answered."""
        settings = self._settings
        for way in (self._direct, self._through):
            self._progress(0.0, f"{way.name}: warming up")
            number = settings.streams or max(round(settings.rate * settings.warm_up), 2)
            gap = settings.warm_up / number
            answers = self._answers(way, SendTimes([gap * at for at in range(number)]))
            looked = [seen(one, self._dialect, self.streamed(one.number)) for one in answers]
            if all(one.error is not None for one in looked):
                url = settings.gateway if way is self._through else settings.upstream
                body = bytes(answers[0].response.body[:300]).decode(errors="replace")
                raise OverheadError(
                    f"{url.geturl()}: no request was answered: {looked[0].error}"
                    + (f": {body}" if body else "")
                )

    def _ramp(self, low: float, high: float) -> None:
        """Step by step to the rate that the gateway does not keep up with."""
        rates = ramp_rates(low, high)
        length = self._settings.duration / (2 * len(rates))
        for step, rate in enumerate(rates):
            through = SideResult(self._dialect.head_at_once)
            direct = SideResult(self._dialect.head_at_once)
            for way, result in ((self._direct, direct), (self._through, through)):
                result.add(self._turn(way, self._times(length, rate, step)))
                self._part += 1 / (2 * len(rates))
            self._steps.append(self._step(rate, through, direct))
            if self._steps[-1].holds or not step:
                for way, result in ((self._direct, direct), (self._through, through)):
                    way.result.joined += result.joined
                    way.result.splits += result.splits
                    way.result.answered += result.answered
                    way.result.seconds += result.seconds
                    way.result.sending += result.sending
            if not self._steps[-1].holds:
                return

    def _step(self, rate: float, through: SideResult, direct: SideResult) -> RampStep:
        more = summary.added(through, direct)
        return RampStep(
            offered=rate,
            gateway_rate=round(through.rate, 3),
            direct_rate=round(direct.rate, 3),
            gateway_errors=sum(summary.errors(through).values()),
            direct_errors=sum(summary.errors(direct).values()),
            added_ttft_ms=more.ttft_ms,
            added_total_ms=more.total_ms,
            box=summary.box(through, direct, self._settings.box_share, None),
            holds=keeps_up(through),
            direct_holds=keeps_up(direct),
        )

    def _report(self, started: float) -> OverheadReport:
        settings, through, direct = self._settings, self._through.result, self._direct.result
        self._progress(1.0, "comparing events")
        machine = summary.box(through, direct, settings.box_share, self._processors.busy())
        side = summary.side(through)
        changes = frame_changes(self._bodies, self._dialect, settings, self._journal, self._context)
        return OverheadReport(
            version=VERSION,
            gateway=settings.gateway.geturl(),
            upstream=settings.upstream.geturl(),
            model=settings.model,
            dialect=settings.dialect,
            answers=settings.answers,
            load=load_name(settings),
            started=started,
            duration_s=round(time.time() - started, 3),
            requests=side.requests,
            matched=side.matched,
            unmatched=side.unmatched,
            added=summary.added(through, direct),
            simulator_late_ms=side.simulator_late_ms,
            client_late_ms=side.client_late_ms,
            tokens_per_read=side.tokens_per_read,
            simulator=summary.simulator_parts(through, direct),
            errors=side.errors,
            retries=summary.retries(through),
            headers=header_changes(through.joined, direct.joined),
            request_headers=request_header_changes(through.joined, direct.joined, self._journal),
            frames=changes,
            rate_ratio=round(through.rate / direct.rate, 4) if direct.rate else None,
            box=machine,
            through=side,
            direct=summary.side(direct),
            ramp=self._ramp_result(),
            notes=[*summary.notes(through, direct, machine), *self._short_steps()],
        )

    def _short_steps(self) -> Iterator[str]:
        if self._settings.ramp is not None:
            number = len(ramp_rates(*self._settings.ramp))
            length = self._settings.duration / (2 * number)
            if length < SHORT:
                least = 2 * SHORT * number
                yield (
                    f"Each step took {length:.1f} s each way: that says little. A duration of "
                    f"{least:.0f} s is the least for {number} steps."
                )

    def _ramp_result(self) -> Ramp | None:
        if not self._steps:
            return None
        held = [one.offered for one in self._steps if one.holds]
        direct = [one.offered for one in self._steps if one.direct_holds]
        return Ramp(self._steps, max(held, default=None), max(direct, default=None))

    @property
    def ways(self) -> tuple[SideResult, SideResult]:
        """What was collected: through the gateway, and past it."""
        return self._through.result, self._direct.result


def ramp_rates(low: float, high: float) -> list[float]:
    """The rates of a ramp: each half as much again as the one before, the last one as asked."""
    rates = [low]
    while rates[-1] * STEP_FACTOR < high:
        rates.append(round(rates[-1] * STEP_FACTOR, 1))
    return [*rates, high] if high > low else rates


def keeps_up(found: SideResult) -> bool:
    """Whether requests were answered as fast as they were sent, but for a hundredth."""
    if not found.joined:
        return False
    failed = 1 - found.answered / len(found.joined)
    return failed <= ERRORS and found.sending + GRACE >= KEPT_UP * found.seconds


def load_name(settings: OverheadSettings) -> str:
    """What was sent, in words."""
    if settings.ramp is not None:
        low, high = settings.ramp
        return f"{settings.arrivals} arrivals, {low:g} to {high:g} requests/s in steps"
    if settings.streams is not None:
        return f"{settings.streams} requests in flight"
    return f"{settings.arrivals} arrivals, {settings.rate:g} requests/s"
