"""Chat completions that were kept: what one worker sent, another one tells, changes and lists."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar

import orjson
import pytest

from llmsim.config import Config, Server
from llmsim.core import Choice, Completion, Finish, GeneratedText, Stamp, TextSegment, Usage
from llmsim.core.errors import BadRequest, FailureKind
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.lists import Paging
from llmsim.server.resources.stored_completions import ENDPOINT, StoredCompletions
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.journal import Journal
from llmsim.state.sqlite import Store, new_store

T = TypeVar("T")
CHAT = OpenAIChat()
REPLY = Completion((Choice((TextSegment(GeneratedText("Yes.", 2)),), 2, Finish.STOP),), Usage(8, 2))
EVERY = Paging(100, None, False)


class Workers:
    """Two workers of one launch, and what a client does with either of them."""

    def __init__(self, path: str) -> None:
        segment = new_segment(Config(Server(workers=2, journal_mb=1)))
        self._path = path
        self._shared = SharedState(segment)
        self.journals = [Journal(segment.journal(slot), slot, segment.secret) for slot in (0, 1)]

    def keep(
        self,
        worker: int,
        arrived: float,
        *,
        status: int = 200,
        endpoint: str = ENDPOINT,
        stored: bool = True,
        **fields: Any,
    ) -> str:
        """Answer a request; gives the completion's id."""
        journal = self.journals[worker]
        messages = [{"role": "user", "content": "hi"}, {"role": "user", "content": "there"}]
        body = orjson.dumps({"model": "gpt-4o", "messages": messages, **fields})
        number = journal.reserve()
        stamp = Stamp(journal.mark(number), int(arrived))
        answer = CHAT.plain(CHAT.decode(body), REPLY, stamp)
        kept = answer if stored else b""
        journal.begin(number, endpoint, "gpt-4o", body, arrived, (0.0, 0.0), 1, 7, kept)
        if status:
            journal.end(number, status, 0.0, 0.0, 0.0, 1)
        name: str = orjson.loads(answer)["id"]
        return name

    def request(self, work: Callable[[StoredCompletions], Awaitable[T]]) -> T:
        """What ``work`` makes of the completions, as a worker of its own would."""

        async def run() -> T:
            with closing(Store(self._path)) as store:
                return await work(StoredCompletions(self._shared, store))

        return asyncio.run(run())

    def told(self, name: str) -> Any:
        return orjson.loads(self.request(lambda known: known.get(name)))

    def listed(self, query: dict[str, list[str]] | None = None, paging: Paging = EVERY) -> Any:
        return orjson.loads(self.request(lambda known: known.page(query or {}, paging)))

    def ids(self, query: dict[str, list[str]] | None = None, paging: Paging = EVERY) -> list[str]:
        return [one["id"] for one in self.listed(query, paging)["data"]]


@pytest.fixture
def workers() -> Iterator[Workers]:
    with new_store() as path:
        yield Workers(path)


@pytest.mark.parametrize("worker", [0, 1])
@pytest.mark.parametrize("status", [0, 200])
def test_a_completion_is_known_the_moment_it_is_sent(
    workers: Workers, worker: int, status: int
) -> None:
    name = workers.keep(worker, 1.0, status=status, metadata={"a": "b"})
    told = workers.told(name)
    assert (told["id"], told["metadata"]) == (name, {"a": "b"})
    assert workers.ids() == [name]


@pytest.mark.parametrize(
    "fields",
    [{"stored": False}, {"status": 499}, {"status": 500}, {"endpoint": "/v1/responses"}],
)
def test_others_are_not_kept(workers: Workers, fields: dict[str, Any]) -> None:
    name = workers.keep(0, 1.0, **fields)
    with pytest.raises(BadRequest) as caught:
        workers.told(name)
    assert caught.value.failure.kind is FailureKind.NOT_FOUND
    assert workers.ids() == []


@pytest.mark.parametrize("prefix", ["resp_", "req_0115e9", "chatcmpl-", ""])
def test_an_id_is_the_whole_id(workers: Workers, prefix: str) -> None:
    name = workers.keep(0, 1.0)
    with pytest.raises(BadRequest):
        workers.told(prefix + name[-26:])


def test_lists_are_in_the_order_of_arrival(workers: Workers) -> None:
    late = workers.keep(0, 3.0)
    first = workers.keep(1, 1.0)
    second = workers.keep(0, 2.0)
    assert workers.ids() == [first, second, late]
    assert workers.ids(paging=Paging(2, None, True)) == [late, second]
    page = workers.listed(paging=Paging(1, first, False))
    assert (page["first_id"], page["last_id"], page["has_more"]) == (second, second, True)
    assert workers.ids(paging=Paging(9, None, False, late)) == [first, second]
    assert workers.ids(paging=Paging(9, first, False, late)) == [second]
    page = workers.listed(paging=Paging(1, None, True, first))
    assert (page["first_id"], page["has_more"]) == (second, True)


@pytest.mark.parametrize("newest_first", [True, False])
def test_nothing_comes_after_what_is_forgotten(workers: Workers, newest_first: bool) -> None:
    workers.keep(0, 1.0)
    assert workers.ids(paging=Paging(9, "chatcmpl-forgotten", newest_first)) == []
    assert workers.ids(paging=Paging(9, None, newest_first, "chatcmpl-forgotten")) == []


def test_a_list_may_be_of_one_model_or_of_some_metadata(workers: Workers) -> None:
    one = workers.keep(0, 1.0, model="gpt-4o", metadata={"a": "1"})
    two = workers.keep(1, 2.0, model="gpt-5", metadata={"a": "2"})
    assert workers.ids({"model": ["gpt-4o"]}) == [one]
    assert workers.ids({"metadata[a]": ["2"]}) == [two]
    workers.request(lambda known: known.update(one, {"a": "2"}))
    assert workers.ids({"metadata[a]": ["2"]}) == [one, two]


def test_metadata_is_replaced(workers: Workers) -> None:
    name = workers.keep(0, 1.0, metadata={"a": "b"})
    told = orjson.loads(workers.request(lambda known: known.update(name, {"c": "d"})))
    assert told["metadata"] == {"c": "d"}
    assert workers.told(name) == told


def test_what_is_deleted_is_gone(workers: Workers) -> None:
    name, other = workers.keep(0, 1.0), workers.keep(0, 2.0)
    told = orjson.loads(workers.request(lambda known: known.delete(name)))
    assert told == {"id": name, "object": "chat.completion.deleted", "deleted": True}
    assert workers.ids() == [other]
    works: list[Callable[[StoredCompletions], Awaitable[bytes]]] = [
        lambda known: known.get(name),
        lambda known: known.delete(name),
        lambda known: known.update(name, {}),
        lambda known: known.messages(name, EVERY),
    ]
    for work in works:
        with pytest.raises(BadRequest) as caught:
            workers.request(work)
        assert caught.value.failure.kind is FailureKind.NOT_FOUND


def test_messages_are_paged(workers: Workers) -> None:
    name = workers.keep(0, 1.0)
    page = orjson.loads(workers.request(lambda known: known.messages(name, Paging(1, None, False))))
    assert [one["id"] for one in page["data"]] == [f"{name}-0"]
    after = Paging(1, f"{name}-0", False)
    page = orjson.loads(workers.request(lambda known: known.messages(name, after)))
    assert [one["content"] for one in page["data"]] == ["there"]
    assert page["has_more"] is False


@pytest.mark.parametrize("wanted", [Paging(2, "nope", False), Paging(2, None, False, "nope")])
def test_nothing_is_beside_what_never_was(workers: Workers, wanted: Paging) -> None:
    name = workers.keep(0, 1.0)
    calls: list[Callable[[StoredCompletions], Awaitable[bytes]]] = [
        lambda known: known.page({}, wanted),
        lambda known: known.messages(name, wanted),
    ]
    for call in calls:
        with pytest.raises(BadRequest, match="Item with id 'nope' not found"):
            workers.request(call)
