"""Parts of what a server has counted or remembered are reset, and no others."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from llmsim.config import Config, Server
from llmsim.core.mocks.mock import Mock, counter_keys
from llmsim.core.mocks.response import MockResponse
from llmsim.server.admin.reset import PARTS
from tests.server.in_process import InProcess

MOCK = Mock(responses=(MockResponse(content="Hi"),), times=1)
CONFIG = Config(Server(workers=1, journal_mb=1), mocks=(MOCK,))
KEY = counter_keys((MOCK,))[0]
OTHER = "errors x"


async def sent(
    server: InProcess,
    method: str,
    path: str,
    document: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    head = {"host": "localhost", "content-type": "application/json"} | dict(headers or {})
    answer = await server.ask(method, f"/llmsim/{path}", orjson.dumps(document), head)
    return answer.status, orjson.loads(answer.body)


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ("journal", {"mock": 1, "errors": 1, "requests": 0}),
        ("counters", {"mock": 0, "errors": 0, "requests": 1}),
        ("mocks", {"mock": 0, "errors": 1, "requests": 1}),
        ("limits", {"mock": 1, "errors": 1, "requests": 1}),
        ("stats", {"mock": 1, "errors": 1, "requests": 1}),
        (",".join(PARTS), {"mock": 0, "errors": 0, "requests": 0}),
    ],
)
def test_parts(what: str, left: dict[str, int]) -> None:
    async def scene() -> None:
        with InProcess(CONFIG) as server:
            shared = server.shared
            counters, journal = shared.named_counters, shared.journal
            counters.advance(KEY)
            counters.advance(OTHER)
            journal.begin(journal.reserve(), "/x", "m", b"{}", 1.0, (0.0, 0.0), 1, 7)
            await sent(server, "POST", "windows", {"name": "w"})
            shared.counters.started()
            assert await sent(server, "POST", f"reset?what={what}") == (
                200,
                {"reset": what.split(",")},
            )
            (window,) = (await sent(server, "GET", "windows"))[1]["windows"]
            listed = (await sent(server, "GET", "requests"))[1]["requests"]
            assert window["figures"]["requests"]["started"] == (0 if "stats" in what else 1)
            found = counters.reached(KEY), counters.reached(OTHER), len(listed)
            assert dict(zip(("mock", "errors", "requests"), found, strict=True)) == left

    asyncio.run(scene())


def test_what_is_no_part_is_refused() -> None:
    async def scene() -> None:
        with InProcess(CONFIG) as server:
            status, document = await sent(server, "POST", "reset?what=journal,stat")
            assert status == 400
            assert "did you mean stats?" in document["error"]["message"]

    asyncio.run(scene())
