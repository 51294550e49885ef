"""One request from its first byte to its last: read, plan, play, remember."""

from __future__ import annotations

import asyncio
import secrets
from asyncio import to_thread

from msgspec import structs

from llmsim.catalog import MARK
from llmsim.config import Config
from llmsim.config.directions import split
from llmsim.engine import prompt, seeds
from llmsim.engine.answer import Draw, Rules
from llmsim.engine.caching import LEAST, MISS, cacheable
from llmsim.engine.orders import AS_ASKED
from llmsim.engine.plan import failed, plan
from llmsim.engine.task import lengthy
from llmsim.errors import BadRequest, Failure, Kind
from llmsim.exchange import Ask, Dialect, Ending, Plan, Stamp
from llmsim.server.accesslog import AccessLog, maker
from llmsim.server.books import Books
from llmsim.server.breaking import opened
from llmsim.server.control import Subject
from llmsim.server.directions import directed
from llmsim.server.live import Live
from llmsim.server.player import TICK, Player, now_us
from llmsim.server.ports import Gone, Port
from llmsim.server.promptcache import PromptCache
from llmsim.server.request import CLIENT_GONE, Endpoint, Request
from llmsim.shared.segment import Cursor

# What a worker tokenises on its loop: about a tenth of a millisecond.
INLINE_CHARACTERS = 8_000
# Bytes from which a request may hold schemas that take long to understand.
LARGE_BODY = 32_000
# Waits at least this long, in µs, look out for a client that leaves meanwhile; after shorter
# ones the first byte that is sent tells.
WATCHED = 250_000
_SEEDS = (1 << seeds.BITS) - 1
_MULTIPLIER = 0x5DEECE66D  # a full-period generator modulo 2**48 (POSIX drand48)

__all__ = ["Answering", "Endpoint"]


class Answering:
    """Answers requests in one worker."""

    def __init__(
        self,
        config: Config,
        live: Live,
        player: Player,
        books: Books,
        access: AccessLog | None = None,
    ) -> None:
        self._live = live
        self._player = player
        self._board = books.board
        self._journal = books.journal
        self._request = maker(access)
        self._segment = books.segment
        self._prompts = PromptCache(books.segment)
        self._body_limit = config.server.max_body_bytes
        self._most_streams = config.server.max_open_streams
        self._fresh = secrets.randbits(seeds.BITS)

    async def answer(self, port: Port, endpoint: Endpoint) -> None:
        """Answer one request; whatever goes wrong, the client gets the provider's own error and
        the request is counted exactly once."""
        request = self._request(endpoint, self._board, self._journal)
        try:
            await self._answer(port, request)
        except BadRequest as bad:
            await self._refuse(port, request, bad.failure)
        except Gone:
            request.left()
        except Exception:
            request.refuse(port, request.broken())

    async def _answer(self, port: Port, request: Request) -> None:
        request.body = body = await port.body(self._body_limit)
        dialect, memory = request.endpoint.dialect, request.endpoint.memory
        if request.endpoint.admit is not None:
            request.endpoint.admit(port)
        ask = dialect.decode(body)
        request.model = ask.model
        if memory is not None:
            ask = await memory.recall(ask)
        stamp = Stamp(request.mark, int(request.arrived))
        planned = await self._planned(port, request, ask, body, stamp)
        answer = stored(ask, planned, dialect, stamp) if ask.store else b""
        request.answer = answer
        request.begin(planned)
        first = memory and await memory.keep(ask, body, answer, stamp)
        if not first and (planned.stream or planned.length is not None):
            await self._stream(port, request, planned, stamp)
        elif not first and planned.total:
            await self._late(port, request, planned, stamp)
        else:
            now = now_us()
            head = request.head(planned, stamp)
            # Counted before the client can see it: a worker killed in between has told no one.
            request.sent(planned.status, now, now - request.start)
            port.reply(planned.status, head, first or planned.frames[0])

    async def unawaited(self, endpoint: Endpoint, body: bytes) -> Plan:
        """The plan of an answer that nobody waits for, which counts as given. A request that
        can not be served has a plan, too."""
        request = Request(endpoint, self._board, self._journal)
        request.body = body
        stamp = Stamp(request.mark, int(request.arrived))
        try:
            ask = endpoint.dialect.decode(body)
            request.model = ask.model
            planned = await self._planned(None, request, ask, body, stamp)
        except BadRequest as bad:
            planned = failed(bad.failure, *endpoint.dialect.failure(bad.failure, stamp))
        except Exception:
            failure = request.broken()
            planned = failed(failure, *endpoint.dialect.failure(failure, stamp))
        request.unawaited(planned)
        return planned

    async def _planned(
        self, port: Port | None, request: Request, ask: Ask, body: bytes, stamp: Stamp
    ) -> Plan:
        regime = self._live.regime
        rules = regime.rulebook.known(ask.model)
        control, suffix = regime.control, ""
        if regime.directed is not None:
            # What is known by that name is a model: only others can have a suffix.
            if rules is None and MARK in ask.model:
                model, suffix = split(ask.model)
                request.model, ask = model, structs.replace(ask, model=model)
                rules, control = regime.rulebook.known(model), regime.directed
            elif port is not None and directed(port):
                control = regime.directed
        if rules is None:
            rules = await self.rules(ask.model)
        try:
            prompt_tokens = prompt.tokens(ask, rules.tokenizer, INLINE_CHARACTERS)
        except prompt.Lengthy:
            prompt_tokens = await to_thread(prompt.tokens, ask, rules.tokenizer)
        orders = AS_ASKED
        if control is not None:
            subject = Subject(port, request, ask, body, rules, prompt_tokens, suffix=suffix)
            await control.consider(subject)
            ask, rules, orders = subject.ask, subject.rules, subject.orders
        turn = self._segment.advance(Cursor.TURN) if rules.takes_turns else 0
        cached = MISS
        if prompt_tokens >= LEAST and cacheable(ask):
            cached = await self._prompts.look(ask, rules, prompt_tokens)
        seed = self._seed(ask, body, regime.config.seed)
        draw = Draw(seed, turn, prompt_tokens, cached, orders)
        dialect = request.endpoint.dialect
        if ask.task is None:
            slow = len(body) > LARGE_BODY and (ask.format is not None or bool(ask.tools))
        else:
            slow = lengthy(ask, ask.task)
        if not slow:
            return plan(ask, rules, draw, dialect, stamp)
        return await to_thread(plan, ask, rules, draw, dialect, stamp)

    async def rules(self, model: str) -> Rules:
        """The rules for a model; a tokenizer that has to be built does not hold the loop."""
        rulebook = self._live.regime.rulebook
        if rulebook.ready(model):
            return rulebook.rules(model)
        return await to_thread(rulebook.rules, model)

    def _seed(self, ask: Ask, body: bytes, configured: int | None) -> int:
        seed = seeds.settled(ask.seed, configured, body)
        if seed is None:
            self._fresh = seed = (self._fresh * _MULTIPLIER + 11) & _SEEDS
        return seed

    async def _refuse(self, port: Port, request: Request, failure: Failure) -> None:
        if failure.after:
            try:
                await self._reach(request.start + int(failure.after * 1e6), port)
            except Gone:
                request.left()
                return
        request.refuse(port, failure)

    async def _late(self, port: Port, request: Request, planned: Plan, stamp: Stamp) -> None:
        """A plain answer that has to wait."""
        due = request.start + int(planned.total * 1e6)
        head, body = request.head(planned, stamp), planned.frames[0]
        if due > now_us() + TICK // 2:
            await self._reach(due, port)
        now = now_us()
        # Unlike a whole reply, an open body tells whether the client is still there.
        stream = port.open(planned.status, [*head, ("content-length", str(len(body)))])
        status = planned.status if stream.send(body) else CLIENT_GONE
        stream.close()
        request.sent(status, now, now - due)

    async def _stream(self, port: Port, request: Request, planned: Plan, stamp: Stamp) -> None:
        if self._player.open >= self._most_streams:
            message = "That model is currently overloaded with other requests."
            raise BadRequest(Failure(Kind.OVERLOADED, message))
        due = request.start + int(planned.due[0] * 1e6)
        if due > now_us() + TICK // 2:
            await self._reach(due, port)
        if planned.ending is Ending.UNANSWERED:
            request.sent(planned.status, now := now_us(), now - due)
            port.peer().hang_up(reset=True)
            return
        stream = opened(port, planned, request.head(planned, stamp))
        self._player.play(planned, request.start, stream, request.ended)

    async def _reach(self, due: int, port: Port) -> None:
        """Wait until ``due``. Raises Gone if the client leaves during a long wait."""
        reached = self._player.reach(due)
        if due - now_us() < WATCHED:
            await reached
            return
        leaving = asyncio.ensure_future(port.left())
        leaving.add_done_callback(lambda _: _give_up(reached))
        try:
            await reached
        finally:
            leaving.cancel()


def _give_up(reached: asyncio.Future[None]) -> None:
    """The client has left what it waited for."""
    if not reached.done():
        reached.set_exception(Gone())


def stored(ask: Ask, planned: Plan, dialect: Dialect, stamp: Stamp) -> bytes:
    """The answer as it can be asked for later: whole, however it is sent now."""
    if planned.reply is None or not (planned.stream or planned.failure or planned.length):
        return planned.frames[0]
    return dialect.plain(ask, planned.reply, stamp)
