"""``/llmsim/windows``: statistics of parts of the time, by name, compared side by side.

A window is what the counters were when it was opened and, once it is closed, what they were then.
They are in the store, where every worker finds them; those of an earlier launch count nothing.
"""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.core.state import ObjectStore
from llmsim.server.admin.json_response import error_response, json_response
from llmsim.state.shared_state import SharedState
from llmsim.telemetry.snapshot import Snapshot
from llmsim.telemetry.window import Mark, compared, figures, mark

KIND = "window"
MOST = 32
_NAME = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class StatsWindow(msgspec.Struct, frozen=True):
    """One window; one that is open has no end."""

    name: str
    opened: Mark
    closed: Mark | None = None


class Windows:
    """The windows of this launch."""

    def __init__(self, shared: SharedState, store: ObjectStore) -> None:
        self._shared = shared
        self._store = store
        self._launch = f"launch {shared.segment.secret}"

    async def open(self, name: str) -> None:
        """Begin a window now, anew if there is one of that name. Raises ValueError where there are
        too many."""
        known = await self.all()
        if name not in known and len(known) >= MOST:
            raise ValueError(f"name: there are {MOST} windows already: delete one of them")
        await self._put(StatsWindow(name, self._now()))

    async def close(self, name: str) -> bool:
        """End a window now; whether there is one that was open."""
        window = (await self.all()).get(name)
        if window is None or window.closed is not None:
            return False
        await self._put(StatsWindow(name, window.opened, self._now()))
        return True

    async def delete(self, name: str) -> bool:
        """Forget a window; whether there was one."""
        return await self._store.delete(KIND, self._id(name))

    async def begin_again(self) -> None:
        """All open windows begin now."""
        for window in (await self.all()).values():
            if window.closed is None:
                await self._put(StatsWindow(window.name, self._now()))

    async def all(self) -> dict[str, StatsWindow]:
        """All of them by name, in the order in which they were first opened."""
        listed = await self._store.list(KIND, self._launch, limit=MOST, newest_first=False)
        windows = [_decoder.decode(value) for _, value in listed]
        return {window.name: window for window in windows}

    async def document(self) -> dict[str, Any]:
        """Each with its figures, and all of them side by side."""
        now = self._now()
        windows = await self.all()
        counted = {
            name: figures(window.opened, window.closed or now) for name, window in windows.items()
        }
        shown = [
            {
                "name": name,
                "opened": window.opened.at,
                "closed": None if window.closed is None else window.closed.at,
                "seconds": round((window.closed or now).at - window.opened.at, 3),
                "figures": counted[name],
            }
            for name, window in windows.items()
        ]
        return {"windows": shown, "compared": compared(counted)}

    def _now(self) -> Mark:
        return mark(Snapshot(self._shared.all_counters), time.time())

    def _id(self, name: str) -> str:
        return f"{self._launch} {name}"

    async def _put(self, window: StatsWindow) -> None:
        await self._store.put(KIND, self._id(window.name), _encoder.encode(window), self._launch)


def routes(windows: Windows) -> list[Route]:
    """Opening, closing, showing and forgetting them."""

    async def show(request: Request) -> Response:
        return json_response(await windows.document())

    async def open_one(request: Request) -> Response:
        try:
            name = _name(await request.body())
            await windows.open(name)
        except ValueError as error:
            return error_response(400, str(error))
        return json_response({"opened": name})

    async def close(request: Request) -> Response:
        name = request.path_params["name"]
        if not await windows.close(name):
            return error_response(404, f"name: no window {name!r} is open")
        return json_response({"closed": name})

    async def delete(request: Request) -> Response:
        name = request.path_params["name"]
        if not await windows.delete(name):
            return error_response(404, f"name: there is no window {name!r}")
        return json_response({"deleted": name})

    return [
        Route("/llmsim/windows", show),
        Route("/llmsim/windows", open_one, methods=["POST"]),
        Route("/llmsim/windows/{name}/close", close, methods=["POST"]),
        Route("/llmsim/windows/{name}", delete, methods=["DELETE"]),
    ]


def _name(body: bytes) -> str:
    """The name that a body has. Raises ValueError."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or set(document) != {"name"}:
        raise ValueError('the body must be {"name": NAME}')
    name = document["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("name: must be 1 to 64 letters, digits, or any of _ . : -")
    return name


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(StatsWindow)
