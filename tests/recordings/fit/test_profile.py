"""A model's traffic, fitted as a whole, and the page about it."""

from collections.abc import Iterator
from html.parser import HTMLParser

import numpy as np
import pytest
from msgspec import structs

from llmsim.recordings.fit.load import LoadFit
from llmsim.recordings.fit.profile import by_model, configuration, fit
from llmsim.recordings.fit.report import page
from llmsim.recordings.traces.row import TraceRow

ALPHA, BETA, PREFILL = 0.02, 0.0005, 0.00005


def traffic(requests: int = 2000, model: str = "m", loaded: bool = True) -> Iterator[TraceRow]:
    """Streams of a server whose steps follow the load."""
    random = np.random.default_rng(11)
    for place in range(requests):
        in_flight = int(random.integers(1, 65)) if loaded else 0
        step = ALPHA + BETA * max(in_flight, 1)
        prompt = int(random.lognormal(6.0, 0.5))
        gaps = step * random.gamma(100.0, 0.01, 10)
        yield TraceRow(
            arrived=float(place),
            model=model,
            prompt_tokens=prompt,
            output_tokens=max(int(random.lognormal(5.0, 0.4)), 1),
            ttft=float(0.2 * random.gamma(50.0, 0.02) + PREFILL * prompt + step),
            gaps=tuple(gaps),
            gap_tokens=(1,) * 10,
            in_flight=in_flight,
        )


def test_a_model_under_load() -> None:
    one = fit("m", traffic())
    assert isinstance(one.load, LoadFit)
    assert one.load.base == pytest.approx(ALPHA, rel=0.05)
    assert one.load.per_sequence == pytest.approx(BETA, rel=0.05)
    rule = configuration([one])["latency"]["models"]["m"]
    assert rule["prefill_ms_per_token"] == pytest.approx(PREFILL * 1e3, rel=0.05)
    assert rule["itl_ms"]["mean"] == pytest.approx((ALPHA + BETA) * 1e3, rel=0.05)
    assert rule["ttft_ms"]["mean"] == pytest.approx(200 + (ALPHA + BETA) * 1e3, rel=0.05)
    ((level, time),) = rule["load"]["itl_ms_at"].items()
    assert time == pytest.approx((ALPHA + BETA * level) * 1e3, rel=0.05)
    assert "load.max_sequences: the load never reached it" in one.problems


def test_a_model_without_load() -> None:
    one = fit("m", traffic(loaded=False))
    made = configuration([one])
    rule = made["latency"]["models"]["m"]
    assert "load" not in rule
    assert rule["ttft_ms"]["mean"] == pytest.approx((0.2 + ALPHA + BETA) * 1e3, rel=0.05)
    assert made["response"]["target_tokens"]["distribution"] == "lognormal"
    assert any(problem.startswith("load: ") for problem in one.problems)


def test_hidden_reasoning_is_no_overhead() -> None:
    """A server thinks again: what is fitted is the rest."""
    rows = [
        structs.replace(
            one,
            ttft=one.ttft + 40 * (ALPHA + BETA),
            output_tokens=one.output_tokens + 40,
            hidden_tokens=40,
        )
        for one in traffic(loaded=False)
        if one.ttft is not None
    ]
    made = configuration([fit("m", rows)])
    rule = made["latency"]["models"]["m"]
    assert rule["ttft_ms"]["mean"] == pytest.approx((0.2 + ALPHA + BETA) * 1e3, rel=0.05)
    assert made["response"]["target_tokens"]["mean"] == pytest.approx(160, rel=0.05)


def test_too_little_makes_no_configuration() -> None:
    one = fit("m", traffic(2))
    assert configuration([one]) == {}
    assert len(one.problems) == 4


def test_models_are_fitted_apart_the_busiest_first() -> None:
    rows = [*traffic(220, "a"), *traffic(400, "b"), *traffic(180, "")]
    assert [one.model for one in by_model(rows)] == ["b", "a", "*"]
    assert set(configuration(by_model(rows))["latency"]["models"]) == {"b", "a", "*"}


def test_the_page_shows_every_chart_and_what_is_missing() -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []
            self.charts = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.charts += tag == "svg"

    tags = Tags()
    text = page([fit("m<>", traffic())], "Fit of <x>")
    tags.feed(text)
    assert tags.charts == 5
    assert "m&lt;&gt;" in text
    assert "Fit of &lt;x&gt;" in text
    assert "Not identified" in text
    assert "http" not in text
    tags = Tags()
    tags.feed(page([fit("m", traffic(2))], "x"))
    assert tags.charts == 0
