"""A report as text for a terminal, and what thresholds say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from llmsim.overhead.figures import Percentiles
from llmsim.overhead.report import HeaderChanges, OverheadReport, Ramp

NAMES: Final = ("p50", "p90", "p99")
TIMES_HEAD: Final = ("milliseconds", *(f"{name} added (95 %)" for name in NAMES), "direct p50")
ROWS: Final = (
    ("time to first token", "ttft_ms"),
    ("  of it, held for more text", "held_ms"),
    ("a token on its way", "per_token_ms"),
    ("time per output token", "time_per_output_token_ms"),
    ("total", "total_ms"),
    ("first byte", "head_ms"),
    ("requests' way in", "way_in_ms"),
    ("answers' way out", "way_out_ms"),
)
"""What is shown, and its name in the report."""
SHOWN: Final = 8
"""Names that are shown; the JSON has all."""
LIMITED: Final = ("ttft_ms", "per_token_ms", "total_ms")
"""What can have a threshold."""


def limit_name(figure: str, percentile: str) -> str:
    """The threshold's option: ``max-added-ttft-p99-ms``."""
    return f"max-added-{figure.removesuffix('_ms').replace('_', '-')}-{percentile}-ms"


def exceeded(
    report: OverheadReport, limits: Mapping[str, float], max_error_rate: float | None
) -> list[str]:
    """The thresholds that the report is above, a line each. What was not measured is above any."""
    found = []
    for figure in LIMITED:
        for percentile in NAMES:
            limit = limits.get(limit_name(figure, percentile))
            if limit is None:
                continue
            measured: Percentiles | None = getattr(report.added, figure)
            name = f"--{limit_name(figure, percentile)} {limit:g}"
            if measured is None:
                found.append(f"{name}: not measured")
            elif measured.at(percentile) > limit:
                found.append(f"{name}: {measured.at(percentile):.3f} ms")
    if max_error_rate is not None:
        failed = sum(report.errors.values())
        rate = failed / report.requests if report.requests else 1.0
        if rate > max_error_rate:
            found.append(f"--max-error-rate {max_error_rate:g}: {rate:.4f}")
    return found


def summary_text(report: OverheadReport) -> str:
    """The whole report."""
    parts = [
        f"{report.gateway} in front of {report.upstream}: {report.dialect}, {report.model}",
        f"{report.load}, {report.answers}; {report.requests} requests through the gateway, "
        f"{report.direct.requests} past it, {report.duration_s:.0f} s",
        "",
        *(_aligned(row, (28, 26, 26, 26, 12)) for row in (TIMES_HEAD, *time_rows(report))),
        "",
        *(f"{name:<27}{value}" for name, value in facts(report)),
    ]
    if report.ramp is not None:
        head, rows = ramp_table(report.ramp)
        parts += ["", *(_aligned(row, (12, 10, 9, 9, 24, 14, 10)) for row in (head, *rows))]
    if report.notes:
        parts += ["", *report.notes]
    return "\n".join(parts)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """A line of a table: the name to the left, figures to the right."""
    name, *figures = zip(cells, widths, strict=True)
    return f"{name[0]:<{name[1]}}" + "".join(f"{text:>{width}}" for text, width in figures).rstrip()


def time_rows(report: OverheadReport) -> Iterator[tuple[str, ...]]:
    """The table of times, below TIMES_HEAD."""
    for title, figure in ROWS:
        added: Percentiles | None = getattr(report.added, figure)
        direct: Percentiles | None = getattr(report.direct, figure)
        if added is not None:
            cells = (_with_interval(added, name) for name in NAMES)
            yield title, *cells, "" if direct is None else f"{direct.p50:.3f}"
    for title, figure in (("llmsim late", "simulator_late_ms"), ("client late", "client_late_ms")):
        found: Percentiles | None = getattr(report, figure)
        if found is not None:
            yield title, *(f"{found.at(name):.3f}" for name in NAMES), ""


def _with_interval(figure: Percentiles, name: str) -> str:
    low, high = (figure.ci or {}).get(name, (figure.at(name), figure.at(name)))
    return f"{figure.at(name):.3f} ({low:.2f}…{high:.2f})"


def facts(report: OverheadReport) -> Iterator[tuple[str, str]]:
    """What is no time: its name, and what is to say of it."""
    through, direct = report.through, report.direct
    yield "joined with the journal", f"{report.matched} of {report.requests}"
    if report.tokens_per_read is not None and direct.tokens_per_read is not None:
        yield (
            "tokens per read",
            f"{report.tokens_per_read.p50:.2f} (direct {direct.tokens_per_read.p50:.2f})",
        )
    ratio = "" if report.rate_ratio is None else f": {report.rate_ratio:.3f} of it"
    yield "answers a second", f"{through.rate:.2f}, direct {direct.rate:.2f}{ratio}"
    yield "errors", f"{_counts(report.errors)}, direct {_counts(direct.errors)}"
    again = report.retries
    yield (
        "retried upstream",
        f"{again.requests} requests, {again.upstream} attempts more"
        + (f" ({_counts(again.statuses)})" if again.statuses else ""),
    )
    yield "response headers", _headers(report.headers)
    yield "request headers", _headers(report.request_headers)
    yield "events of streams", _events(report)
    if report.ramp is not None:
        knee, beside = (
            "no step" if one is None else f"{one:g} requests/s"
            for one in (report.ramp.knee, report.ramp.direct_knee)
        )
        yield "kept up with", f"{knee}, direct {beside}"


def _headers(found: HeaderChanges) -> str:
    renamed = [f"{old} → {new}" for old, new in found.renamed.items()]
    parts = (("added", found.added), ("stripped", found.stripped), ("renamed", renamed))
    return "; ".join(f"{name} {_some(names)}" for name, names in parts if names) or "the same"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} × {name}" for name, number in counts.items()) or "none"


def _events(report: OverheadReport) -> str:
    frames = report.frames
    if frames.problem is not None:
        return f"not compared: {frames.problem}"
    kinds = (
        ("same bytes", frames.same_bytes),
        ("same JSON, other bytes", frames.same_json),
        ("other order", frames.reordered),
        ("other events", frames.changed),
    )
    text = ", ".join(f"{number} {name}" for name, number in kinds if number)
    text += f" of {frames.compared}"
    if frames.events_through != frames.events_direct:
        text += f"; {frames.events_through:g} events for {frames.events_direct:g}"
    if frames.bytes_through != frames.bytes_direct:
        text += f"; {frames.bytes_through:.0f} bytes for {frames.bytes_direct:.0f}"
    for name, fields in (("added", frames.fields_added), ("missing", frames.fields_removed)):
        if fields:
            text += f"; fields {name}: {_some(fields)}"
    return text


def ramp_table(ramp: Ramp) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The steps of a ramp: the table's head, and its rows."""
    head = (
        "requests/s",
        "gateway",
        "direct",
        "errors",
        "TTFT added p50 / p99",
        "box's share",
        "kept up",
    )
    rows: list[tuple[str, ...]] = []
    for one in ramp.steps:
        added = one.added_ttft_ms or one.added_total_ms
        rows.append(
            (
                f"{one.offered:.1f}",
                f"{one.gateway_rate:.1f}",
                f"{one.direct_rate:.1f}",
                str(one.gateway_errors),
                "" if added is None else f"{added.p50:.2f} / {added.p99:.2f} ms",
                f"{one.box.share:.0%}",
                "yes" if one.holds else "no",
            )
        )
    return head, rows
