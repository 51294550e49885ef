"""The attack on a server reaches every path that takes a body."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from llmsim.server.router import Router
from tests.attack.bodies import CHAT
from tests.attack.paths import EXAMPLE, SOME, every_body, missing, taking


async def nothing(_: Any) -> None:
    """Stands for any handler."""


def test_a_path_of_which_nobody_has_heard_gets_a_body() -> None:
    router = Router(
        {("POST", "/v1/new"): nothing, ("GET", "/v1/new"): nothing},
        cold=[
            Route("/v1/new/{id}", nothing, methods=["POST", "GET"]),
            Route("/other/v1/chat/completions", nothing, methods=["POST"]),
            Route("/v1/chat/completions", nothing, methods=["POST"]),
        ],
    )
    assert [tuple(body) for body in missing(router)] == [
        ("POST", "/v1/new", SOME),
        ("POST", f"/v1/new/{EXAMPLE}", SOME),
        ("POST", "/other/v1/chat/completions", CHAT),
    ]
    assert len(list(taking(router))) == 4


def test_every_path_has_one() -> None:
    paths = {body.path for body in every_body()}
    assert {"/v1/threads/runs", f"/v1/threads/{EXAMPLE}/messages", "/llmsim/reload"} <= paths
