"""The dashboard as a whole, in Textual's own headless terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher

from llmsim.tui.app import Dashboard, Updated
from llmsim.tui.panel import Panel
from llmsim.tui.poller import ConnectionLost, Update
from tests.tui.readings import read

Steps = Callable[[Pilot[None]], Awaitable[None]]

BUSY = {
    "version": "1.2.3",
    "models": {f"model-{n}": {"requests": 9 + n} for n in range(12)},
    "latency_ms": {"avg": 41.9, "p99": 90.3},
    "errors": {"total": 3, "by_status": {"429": 3}, "by_kind": {"rate_limit": {"injected": 3}}},
    "rate_limited": 3,
    "rate_limits": [{"key": "tier-1", "limit": 10, "remaining": 4}],
    "workers": [{"slot": 0, "pid": 4711, "cpu_s": 1.0, "rss_bytes": 2**27, "lag_ms": 0.2}],
}


class ByHand:
    """A feed that delivers when the test says, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.deliver: Callable[[Update], object] | None = None

    def start(self, deliver: Callable[[Update], object]) -> None:
        self.deliver = deliver

    def now(self) -> None:
        self.asked.append("now")

    def pause(self, paused: bool) -> None:
        self.asked.append(f"pause {paused}")

    def end(self) -> None:
        self.asked.append("end")


def run(steps: Steps, size: tuple[int, int] = (80, 24)) -> Dashboard:
    """Start a dashboard, do ``steps``, end it."""
    app = Dashboard("http://sim:8080", ByHand())

    async def session() -> None:
        async with app.run_test(size=size) as pilot:
            await steps(pilot)

    asyncio.run(session())
    return app


async def deliver(pilot: Pilot[None], *updates: Update) -> None:
    for one in updates:
        pilot.app.post_message(Updated(one))
        await pilot.pause()


def shown(pilot: Pilot[None]) -> str:
    """What is on the screen."""
    return "\n".join(
        "".join(segment.text for segment in line)
        for line in pilot.app.screen._compositor.render_strips()
    )


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
def test_everything_is_visible_without_scrolling(size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await deliver(pilot, read(10.0, **BUSY), read(11.0, total=40, **BUSY))
        screen = shown(pilot)
        for text in (
            *("llmsim 1.2.3", "http://sim:8080", "● live", "up 11s", "1 worker"),
            *("40.0 req/s", "tok/s out", "p99", "90.3", "TTFT", "ITL", "queue", "late"),
            *("model-11", "3 errors", "status 429", "rate_limit", "3 refused", "tier-1", "4711"),
            *("q Quit", "r Refresh", "p Pause", "e Errors"),
        ):
            assert text in screen, text
        lines = screen.split("\n")
        assert len(lines) == size[1]
        for panel in pilot.app.query(Panel):
            if panel.region:
                assert panel.region.bottom < size[1]
        assert ("Endpoints" in screen) is (size[1] >= 34)

    run(steps, size)


def test_before_the_first_answer() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        assert "○ connecting" in shown(pilot)
        await deliver(pilot, ConnectionLost(1.0, "connection refused"))
        assert "○ NO ANSWER YET: connection refused" in shown(pilot)

    run(steps)


def test_a_lost_server_is_shown_as_lost_and_comes_back() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await deliver(
            pilot,
            read(10.0),
            read(11.0, total=70),
            ConnectionLost(12.0, "gone"),
            ConnectionLost(15.0, "gone"),
        )
        screen = shown(pilot)
        assert "✗ LOST 3s: gone, retrying" in screen
        assert "70.0 req/s" in screen  # what was known last
        assert pilot.app.screen.has_class("-lost")
        await deliver(pilot, read(20.0, read(0.5, total=1).stats))
        assert "● live" in shown(pilot)
        assert "- req/s" in shown(pilot)
        assert "-6" not in shown(pilot)
        assert not pilot.app.screen.has_class("-lost")

    run(steps)


def test_keys() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await deliver(pilot, read(10.0, **BUSY))
        feed = pilot.app._feed  # type: ignore[attr-defined]
        await pilot.press("r")
        assert feed.asked == ["now"]
        await pilot.press("p")
        assert feed.asked[-1] == "pause True"
        assert "‖ PAUSED" in shown(pilot)
        await pilot.press("p")
        assert feed.asked[-1] == "pause False"
        assert "● live" in shown(pilot)

    run(steps)


@pytest.mark.parametrize("back", ["e", "escape"])
def test_the_view_of_errors(back: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await deliver(pilot, read(10.0, **BUSY))
        await pilot.press("e")
        screen = shown(pilot)
        assert "429 Too Many Requests" in screen
        assert "INJECTED" in screen
        assert "Workers" not in screen
        await pilot.press(back)
        assert pilot.app.query_one(ContentSwitcher).current == "overview"

    run(steps)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_quitting(key: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press(key)

    app = run(steps)
    assert app.return_code == 0
    assert app._feed.asked == ["end"]  # type: ignore[attr-defined]


def test_what_is_heard_while_it_ends_does_no_harm() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await deliver(pilot, read(10.0))

    app = run(steps)
    app.on_updated(Updated(read(11.0)))
    assert app.history.latest == read(10.0)


def test_a_dashboard_whose_owner_has_gone_ends() -> None:
    app = Dashboard("http://sim:8080", ByHand(), owner=-1)
    app._end_with_owner()
    assert app._exit


def test_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(pilot: Pilot[None]) -> None:
        await deliver(pilot, read(10.0, **BUSY), read(11.0, total=40, **BUSY))
        for line in pilot.app.screen._compositor.render_strips():
            for segment in line.apply_filter(pilot.app.get_line_filters()[-1], None):  # type: ignore[arg-type]
                style = segment.style
                assert style is None or style.color is None or style.color.is_default

    run(steps)
