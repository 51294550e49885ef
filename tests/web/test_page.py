"""The dashboard in a real browser."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.watch import settled
from tests.serving import Server, free_port
from tests.web.visit import DESKTOP, PHONE, SMALL, WIDE, Scheme, Visit, asked, chat

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<img src=x onerror=alert(1)>"


def tile(visit: Visit, name: str) -> str:
    place = visit.page.locator("#tiles > div", has_text=name)
    return " ".join(place.locator("dd").all_inner_texts())


def newest(visit: Visit, model: str) -> None:
    """Wait until the list of requests shows that model."""
    visit.page.wait_for_selector(f"#requests tr:has-text('{model}')", timeout=20_000)


def test_it_asks_nobody_but_its_server(visit: Visit) -> None:
    visit.page.wait_for_function("() => document.fonts.status === 'loaded'")
    assert any(url.endswith("/llmsim/events") for url in visit.asked)
    assert visit.elsewhere() == []


def test_numbers_move(visit: Visit, sim: Server) -> None:
    def total() -> int:
        found = re.search(r"([\d,]+) in total", tile(visit, "Requests/s"))
        assert found
        return int(found[1].replace(",", ""))

    before = total()
    for _ in range(20):
        chat(sim.url, max_tokens=5)
    visit.page.wait_for_function(
        "before => Number(document.querySelector('#tiles small').textContent"
        ".replace(/[^0-9]/g, '')) >= before + 20",
        arg=before,
    )
    assert "gpt-4o" in visit.page.inner_text("#models")
    assert "/v1/chat/completions" in visit.page.inner_text("#endpoints")
    assert visit.page.locator("#workers tr").count() == 2
    assert visit.page.locator(".chart canvas").count() == 10


def test_text_from_requests_stays_text(visit: Visit, sim: Server) -> None:
    chat(sim.url, model=HOSTILE, max_tokens=3)
    newest(visit, "onerror")
    visit.page.wait_for_selector("#models tr:has-text('onerror')")
    assert visit.page.locator("main img").count() == 0
    visit.page.locator("#requests tr", has_text="onerror").first.get_by_role("button").click()
    visit.page.wait_for_selector("#request-body:has-text('onerror')")
    assert visit.page.locator("dialog img").count() == 0


@pytest.mark.parametrize("by", ["click", "row", "keyboard"])
def test_a_requests_timeline(visit: Visit, sim: Server, by: str) -> None:
    model = f"timeline-{by}"
    chat(sim.url, model=model, max_tokens=10, stream=True)
    newest(visit, model)
    visit.page.wait_for_selector(f"#requests tr:has-text('{model}') >> text=200")
    row = visit.page.locator("#requests tr", has_text=model)
    if by == "click":
        row.get_by_role("button").click()
    elif by == "row":
        row.get_by_text(model).click()
    else:
        row.get_by_role("button").focus()
        visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("#timeline rect.planned")
    assert visit.page.locator("#timeline rect").count() == 4
    facts = visit.page.inner_text("#request-facts")
    assert model in facts
    assert re.search(r"(\d+) of \1\b", facts), "as many frames sent as planned"
    assert re.search(
        r"First token\s+[\d.]+ ms\s+[\d.]+ ms\s+[+−]", visit.page.inner_text("#request")
    )
    visit.page.keyboard.press("Escape")
    visit.page.wait_for_selector("#request", state="hidden")
    if by == "keyboard":
        assert visit.page.evaluate("document.activeElement.closest('#requests') !== null")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", ["chat", "responses", "anthropic", "gemini"])
def test_a_sample_request(visit: Visit, dialect: str, stream: bool) -> None:
    page = visit.page
    page.select_option("#sample-dialect", dialect)
    page.fill("#sample-tokens", "40")
    if dialect == "gemini":
        page.fill("#sample-model", "gemini-2.0-flash")  # others think first
    page.set_checked("#sample-stream", stream)
    page.click("#sample-send")
    page.wait_for_selector("#sample-state:has-text('Done.')")
    measured = page.inner_text("#sample-measures")
    words = page.inner_text("#sample-answer").split()
    assert len(words) > 20  # words of several tokens are among the 40
    assert re.search(r"Completion tokens\s+40\b", measured)
    assert re.search(r"TTFT measured\s+[\d.]+ ms", measured)
    assert re.search(r"TTFT planned\s+[\d.]+ ms", measured)
    assert bool(re.search(r"ITL, mean\s+[\d.]+ ms", measured)) == stream
    assert (page.locator("#sample-arrivals .tick").count() > 30) == stream
    page.click("#sample-timeline")
    page.wait_for_selector("#timeline rect.planned")


def test_a_sample_is_shown_as_it_arrives(browser: Browser, serve: Callable[..., Server]) -> None:
    with serve("--workers", "1", "--latency", "gpt-4") as slow:
        visit = Visit(browser, slow.url)
        visit.open()
        visit.page.fill("#sample-tokens", "1000")
        visit.page.click("#sample-send")
        visit.page.wait_for_function("() => document.querySelector('#sample-answer').textContent")
        assert visit.page.inner_text("#sample-state") == "Answering …"
        visit.page.click("#sample-stop")
        visit.page.wait_for_selector("#sample-state:has-text('Stopped.')")
        assert visit.page.is_enabled("#sample-send")
        visit.close()
        assert visit.complaints == []


def test_a_refused_sample_shows_the_servers_words(visit: Visit) -> None:
    visit.page.evaluate("document.querySelector('#sample').noValidate = true")
    visit.page.fill("#sample-model", "")
    visit.page.click("#sample-send")
    visit.page.wait_for_selector("#sample-state[data-tone=bad]")
    assert "model" in visit.page.inner_text("#sample-answer")
    # Chromium's own remark about the status, which no page can prevent.
    assert all("400" in one for one in visit.complaints)
    visit.complaints.clear()


@pytest.mark.parametrize(
    "size", [DESKTOP, PHONE, WIDE, SMALL], ids=["desktop", "phone", "1440", "390"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(
    browser: Browser, sim: Server, size: tuple[int, int], scheme: Scheme
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe").Axe()
    chat(sim.url, model="seen", max_tokens=10, stream=True)
    visit = Visit(browser, sim.url, size, scheme)
    visit.open()
    newest(visit, "seen")
    visit.page.click("#sample-send")
    visit.page.wait_for_selector("#sample-state:has-text('Done.')")
    visit.page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    for name in ("first", "second"):
        visit.page.fill("#windows-form [name=name]", name)
        visit.page.click("#windows-form button")
        visit.page.wait_for_selector(f"#windows-head th:has-text('{name}')")
    visit.page.wait_for_selector("#settings-failures input")
    found = axe.run(visit.page)
    assert found.violations_count == 0, found.generate_report()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    visit.page.click("#sample-timeline")
    visit.page.wait_for_selector("#timeline rect.planned")
    found = axe.run(visit.page)
    assert found.violations_count == 0, found.generate_report()
    visit.close()


def test_the_keyboard_gets_everywhere_and_sees_where_it_is(visit: Visit) -> None:
    page = visit.page
    page.click("#requests-pause")
    page.focus(".skip")
    controls = page.locator("button:visible, input:visible, select:visible, textarea:visible")
    wanted = set(
        controls.evaluate_all("all => all.filter(one => !one.disabled).map(one => one.id)")
    )
    reached: set[str] = set()
    for _ in range(300):
        page.keyboard.press("Tab")
        place, outlined = page.evaluate(
            "() => [document.activeElement.id || document.activeElement.tagName,"
            " getComputedStyle(document.activeElement).outlineStyle !== 'none']"
        )
        if place == "BODY":
            break
        assert outlined, place
        reached.add(place)
    else:
        pytest.fail("the focus never leaves the page")
    assert wanted - {""} <= reached


def test_the_theme_is_the_systems_until_another_is_chosen(visit: Visit) -> None:
    def background() -> str:
        value: str = visit.page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        return value

    light = background()
    visit.page.emulate_media(color_scheme="dark")
    dark = background()
    assert dark != light
    visit.page.click("#theme")
    assert background() == light
    visit.page.reload()
    visit.state("live")
    assert background() == light, "the choice is kept"


def test_a_server_that_is_lost_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    args = ("--workers", "2", "--latency", "instant")
    first = Server(args, tmp_path / "first.log", port)
    try:
        for _ in range(30):
            chat(first.url, max_tokens=2)
        visit = Visit(browser, first.url)
        visit.open()
        visit.page.wait_for_selector("#tiles small:has-text('30 in total')")
    finally:
        first.process.kill()
        first.process.wait()
    visit.state("lost")
    assert "retrying" in visit.page.inner_text("#connection")
    with Server(args, tmp_path / "second.log", port) as second:
        visit.state("live")
        visit.page.wait_for_selector("#tiles small:has-text('0 in total')")
        chat(second.url, max_tokens=2)
        visit.page.wait_for_selector("#tiles small:has-text('1 in total')")
        assert not re.search(r"[−-]\d", visit.page.inner_text("#tiles"))
        visit.close()


def test_a_token_where_the_server_wants_one(
    browser: Browser, serve: Callable[..., Server], tmp_path: Path
) -> None:
    file = tmp_path / "llmsim.yaml"
    file.write_text("control: {token: right}")
    with serve("--workers", "1", "--latency", "instant", "--config", str(file)) as guarded:
        visit = Visit(browser, guarded.url)
        page = visit.page
        page.goto(f"{guarded.url}/llmsim/")
        page.wait_for_selector("#token[open]")
        page.keyboard.press("Escape")
        visit.state("token")
        page.click("#token-button")
        page.fill("#token-value", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("#token-wrong", state="visible")
        page.fill("#token-value", "right")
        page.keyboard.press("Enter")
        visit.state("live")
        chat(guarded.url, model="seen", max_tokens=2)
        newest(visit, "seen")
        page.locator("#settings-failures").get_by_role("switch").first.click()
        page.wait_for_selector("#settings-summary:has-text('rate_limit 10 %')")
        assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]
        page.reload()
        visit.state("live")
        visit.close()


def test_at_every_width_what_matters_is_on_the_screen(browser: Browser, sim: Server) -> None:
    chat(sim.url, model="claude-sonnet-4-5-20250929-with-a-long-name", max_tokens=3, stream=True)
    for size in ((1440, 900), (390, 844)):
        visit = Visit(browser, sim.url, size)
        visit.open()
        newest(visit, "claude")
        for column in ("Status", "TTFT"):
            box = visit.page.locator(f".requests th:has-text('{column}')").bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= size[0]
        models = visit.page.locator(".scroll[aria-labelledby=models-title]")
        if size[0] > 1000:
            assert models.evaluate("it => it.scrollWidth <= it.clientWidth")
        visit.close()


def test_looking_at_a_server_with_keys_is_no_error(
    browser: Browser, serve: Callable[..., Server], tmp_path: Path
) -> None:
    config = tmp_path / "llmsim.yaml"
    config.write_text("keys: [{key: sk-secret, name: alice}]")
    with serve("--workers", "1", "--config", str(config)) as server:
        visit = Visit(browser, server.url)
        visit.open()
        visit.page.wait_for_selector("#sample-models option", state="attached")
        with urllib.request.urlopen(f"{server.url}/llmsim/stats", timeout=30) as response:
            assert json.load(response)["errors"]["total"] == 0
        with urllib.request.urlopen(f"{server.url}/", timeout=30) as response:
            places = json.load(response)
        assert places["dashboard"] == "/llmsim/"
        for place in ("dashboard", "stats", "history", "requests", "windows", "config", "health"):
            with urllib.request.urlopen(server.url + places[place], timeout=30) as response:
                assert response.status == 200, place
        visit.close()


def test_requests_are_searched_and_inspected(visit: Visit, sim: Server) -> None:
    chat(sim.url, model="steady-search", max_tokens=20, stream=True)
    chat(sim.url, model="other-search", max_tokens=3)
    page = visit.page
    newest(visit, "other-search")
    page.fill("#requests-search [name=model]", "steady-*")
    page.wait_for_selector("#requests:not(:has-text('other-search')):has-text('steady-search')")
    page.click("#requests tr >> nth=0")
    page.wait_for_selector("#waterfall circle.planned")
    frames = page.locator("#waterfall circle.actual").count()
    assert frames == page.locator("#waterfall circle.planned").count() > 20
    assert "anonymous" in page.inner_text("#request-why")
    assert "data: [DONE]" in page.inner_text("#request-answer")
    body = "const got = await fetch('/llmsim/requests?limit=1&contents=true&model=steady-*');"
    body += "return it.curl((await got.json()).requests[0], 'http://sim');"
    command = visit.module("requests.js", body)
    assert command.startswith("curl -N 'http://sim/v1/chat/completions' -H ")
    page.click("#request-close")
    page.fill("#requests-search [name=model]", "")
    page.fill("#requests-search [name=id]", "nobody")
    page.wait_for_selector("#requests-none", state="visible")


def saved(visit: Visit, chart: str, kind: str) -> bytes:
    """What a chart's button saves."""
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name=f"{chart}: save as {kind}", exact=True).click()
    return Path(download.value.path()).read_bytes()


def answered(visit: Visit) -> int:
    """How many requests the chart shows, second by second."""
    lines = saved(visit, "Requests/s", "CSV").decode().splitlines()
    assert lines[0] == "time,requests_per_second,errors_per_second"
    rates = [line.split(",")[1] for line in lines[1:]]
    return round(sum(float(rate) for rate in rates if rate))


def test_the_charts_outlive_a_reload(visit: Visit, sim: Server) -> None:
    before = answered(visit)
    for _ in range(15):
        chat(sim.url, max_tokens=2)
    visit.page.wait_for_timeout(2500)  # until the second that they are in has been written
    visit.page.reload()
    visit.state("live")
    visit.page.wait_for_function(
        "() => document.querySelector('.plot').getAttribute('aria-label')?.includes('answered')"
    )
    visit.page.wait_for_timeout(500)
    assert answered(visit) >= before + 15


def test_a_chart_as_a_picture(visit: Visit) -> None:
    assert saved(visit, "Latency", "PNG").startswith(b"\x89PNG\r\n")


def test_ranges_and_zoom(visit: Visit) -> None:
    page = visit.page
    shown = page.locator("#span-text")
    page.click("#span-ranges >> text=24 h")
    page.wait_for_selector("#span-text:has-text('the last 24 h, in steps of 120 s')")
    page.click("#span-in")
    page.wait_for_selector("#span-text:has-text('the last 12 h, in steps of 60 s')")
    page.click("#span-ranges >> text=1 h")
    page.wait_for_selector("#span-text:has-text('the last 1 h, in steps of 5 s')")
    page.click("#span-earlier")
    page.wait_for_selector("#span-text:has-text(' to ')")
    page.click("#span-live")
    page.wait_for_selector("#span-text:has-text('the last 5 min, in steps of 1 s')")
    box = page.locator(".plot .u-over").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 30, steps=3)
    page.mouse.up()
    page.wait_for_selector("#span-text:has-text(' to ')")
    first, last = (clock(text) for text in shown.inner_text().split(",")[0].split(" to "))
    assert 25 <= (last - first) % 86_400 <= 35, "a tenth of five minutes"
    assert page.is_enabled("#span-live")


def clock(text: str) -> int:
    hours, minutes, seconds = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def test_failures_are_switched_on_and_undone(visit: Visit, sim: Server) -> None:
    page = visit.page
    row = page.locator("#settings-failures .setting", has_text="Overloaded")
    row.get_by_role("switch").click()
    page.wait_for_selector("#settings-summary:has-text('overloaded 10 %')")
    assert asked(sim.url, "/llmsim/errors")["overloaded_rate"] == 0.1
    row.get_by_role("spinbutton").fill("25")
    row.get_by_role("spinbutton").press("Enter")
    page.wait_for_selector("#settings-summary:has-text('overloaded 25 %')")
    row.get_by_role("switch").click()
    page.wait_for_selector("#settings-summary:has-text('no failures')")
    row.get_by_role("switch").click()
    page.wait_for_selector("#settings-summary:has-text('overloaded 25 %')")
    for rate in ("0", "0.25", "0.1", "0"):
        page.click("#settings-undo")
        page.wait_for_function(
            "async rate => (await (await fetch('/llmsim/errors')).json()).overloaded_rate == rate",
            arg=rate,
        )
        page.wait_for_selector("#settings-state:has-text('Undone')")
    page.wait_for_selector("#settings-undo:disabled")


def test_mocks_limits_and_latency_are_switched(visit: Visit, sim: Server) -> None:
    page = visit.page
    page.fill("#mock-form [name=contains]", "weather")
    page.fill("#mock-form [name=content]", "Sunny.")
    page.click("#mock-form button")
    page.wait_for_selector("#settings-mocks .setting:has-text('weather')")
    assert asked(sim.url, "/llmsim/mocks")["mocks"][0]["response"]["content"] == "Sunny."
    switch = page.locator("#settings-mocks").get_by_role("switch")
    switch.click()
    page.wait_for_selector("#settings-summary:has-text('no mocks')")
    assert asked(sim.url, "/llmsim/mocks")["mocks"] == []
    assert not switch.is_checked()
    switch.click()
    page.wait_for_selector("#settings-summary:has-text('1 mock')")
    page.fill("#limit-form [name=limit]", "7")
    page.click("#limit-form button")
    page.wait_for_selector("#settings-rate_limits:has-text('7 requests/min')")
    page.select_option("#setting-profile", "instant")
    page.wait_for_selector("#settings-summary:has-text('latency instant')")
    page.click("#settings-title ~ *:has-text('Undo')")
    page.wait_for_selector("#settings-summary:has-text('latency fast')")
    for left in ("no rate limits", "no mocks", "1 mock", "no mocks"):
        page.click("#settings-undo")
        page.wait_for_selector(f"#settings-summary:has-text('{left}')")
    config = asked(sim.url, "/llmsim/config")
    assert config["latency"] == {"profile": "fast"}
    assert "mocks" not in config
    assert "rate_limits" not in config


def test_what_others_changed_is_shown_and_not_undone(visit: Visit, sim: Server) -> None:
    page = visit.page
    page.select_option("#setting-scenario", "flaky-429")
    page.wait_for_selector("#settings-summary:has-text('scenario flaky-429')")
    asked(sim.url, "/llmsim/config/scenario", "DELETE")
    page.wait_for_selector("#settings-summary:not(:has-text('scenario'))")
    page.click("#settings-undo")
    page.wait_for_selector("#settings-state[data-tone=bad]:has-text('from elsewhere')")
    page.click("text=Everything, as JSON")
    page.select_option("#json-section", "errors")
    page.fill("#json-text", '{"rate_limit_rate": 7}')
    page.click("#json-form button")
    page.wait_for_selector("#settings-state:has-text('rate_limit_rate')")
    assert all("400" in one for one in visit.complaints)
    visit.complaints.clear()


def test_windows_are_compared(visit: Visit, sim: Server) -> None:
    page = visit.page
    settled(sim.port)  # what still runs would end in a window, and count there
    for window in asked(sim.url, "/llmsim/windows")["windows"]:  # of other tests
        asked(sim.url, f"/llmsim/windows/{window['name']}", "DELETE")
    page.wait_for_selector("#windows-none", state="visible")
    page.fill("#windows-form [name=name]", "before")
    page.click("#windows-form button")
    page.wait_for_selector("#windows-head th:has-text('before')")
    chat(sim.url, max_tokens=2)
    page.get_by_role("button", name="Close window before").click()
    page.wait_for_selector("[aria-label='Reopen window before']")
    page.fill("#windows-form [name=name]", "after")
    page.click("#windows-form button")
    page.wait_for_selector("#windows-head th:has-text('after')")
    for _ in range(3):
        chat(sim.url, max_tokens=2)
    page.wait_for_selector("#windows tr:has-text('Requests'):has-text('+200.0 %')")
    cells = page.locator("#windows tr").first.locator("td").all_inner_texts()
    assert cells == ["1", "3", "+200.0 %"]
    for name in ("before", "after"):
        page.get_by_role("button", name=f"Delete window {name}").click()
    page.wait_for_selector("#windows-none", state="visible")


def test_older_requests_are_a_page_away(visit: Visit, sim: Server) -> None:
    for _ in range(12):
        chat(sim.url, model="paged", max_tokens=2)
    page = visit.page
    page.select_option("#requests-limit", "10")
    page.fill("#requests-search [name=model]", "paged")
    page.wait_for_function("() => document.querySelectorAll('#requests tr').length === 10")
    page.click("#requests-older")
    page.wait_for_function("() => document.querySelectorAll('#requests tr').length < 10")
    assert page.is_disabled("#requests-older")
    page.click("#requests-newest")
    page.wait_for_function("() => document.querySelectorAll('#requests tr').length === 10")
    page.click("text=More filters")
    page.fill("#requests-search [name=since]", "soon")
    page.wait_for_selector("#requests-wrong:has-text('since')")
    assert all("400" in one for one in visit.complaints)
    visit.complaints.clear()
