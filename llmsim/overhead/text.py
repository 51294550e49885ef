"""A report as text for a terminal, and what thresholds say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from llmsim.overhead.figures import Percentiles
from llmsim.overhead.report import HeaderChanges, OverheadReport, RampStep

NAMES: Final = ("p50", "p90", "p99")
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
        *_times(report),
        "",
        *_more(report),
    ]
    if report.ramp is not None:
        parts += ["", *_ramp(report.ramp.steps, report.ramp.knee, report.ramp.direct_knee)]
    if report.notes:
        parts += ["", *report.notes]
    return "\n".join(parts)


def _times(report: OverheadReport) -> Iterator[str]:
    head = f"{'milliseconds':<28}"
    yield head + "".join(f"{name + ' added (95 %)':>26}" for name in NAMES) + f"{'direct p50':>12}"
    for title, figure in ROWS:
        added: Percentiles | None = getattr(report.added, figure)
        direct: Percentiles | None = getattr(report.direct, figure)
        if added is not None:
            cells = "".join(f"{_with_interval(added, name):>26}" for name in NAMES)
            yield f"{title:<28}{cells}{'' if direct is None else f'{direct.p50:.3f}':>12}"
    for title, figure in (("llmsim late", "simulator_late_ms"), ("client late", "client_late_ms")):
        found: Percentiles | None = getattr(report, figure)
        if found is not None:
            yield f"{title:<28}" + "".join(f"{found.at(name):>26.3f}" for name in NAMES)


def _with_interval(figure: Percentiles, name: str) -> str:
    low, high = (figure.ci or {}).get(name, (figure.at(name), figure.at(name)))
    return f"{figure.at(name):.3f} ({low:.2f}…{high:.2f})"


def _more(report: OverheadReport) -> Iterator[str]:
    through, direct = report.through, report.direct
    yield f"joined with the journal    {report.matched} of {report.requests}"
    if report.tokens_per_read is not None and direct.tokens_per_read is not None:
        yield (
            f"tokens per read            {report.tokens_per_read.p50:.2f} "
            f"(direct {direct.tokens_per_read.p50:.2f})"
        )
    ratio = "" if report.rate_ratio is None else f": {report.rate_ratio:.3f} of it"
    yield f"answers a second           {through.rate:.2f}, direct {direct.rate:.2f}{ratio}"
    yield f"errors                     {_counts(report.errors)}, direct {_counts(direct.errors)}"
    again = report.retries
    yield (
        f"retried upstream           {again.requests} requests, {again.upstream} attempts more"
        + (f" ({_counts(again.statuses)})" if again.statuses else "")
    )
    yield f"response headers           {_headers(report.headers)}"
    yield f"request headers            {_headers(report.request_headers)}"
    yield f"events of streams          {_events(report)}"


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


def _ramp(
    steps: Sequence[RampStep], knee: float | None, direct_knee: float | None
) -> Iterator[str]:
    yield "requests/s   gateway   direct   errors   TTFT added p50 / p99   the box's share"
    for one in steps:
        added = one.added_ttft_ms or one.added_total_ms
        times = "" if added is None else f"{added.p50:.2f} / {added.p99:.2f} ms"
        yield (
            f"{one.offered:>10.1f}{one.gateway_rate:>10.1f}{one.direct_rate:>9.1f}"
            f"{one.gateway_errors:>9}   {times:<20}   {one.box.share:.0%}"
            + ("" if one.holds else "   does not keep up")
        )
    ends = [f"{'no step' if one is None else f'{one:g} requests/s'}" for one in (knee, direct_knee)]
    yield f"The gateway keeps up with {ends[0]}; past it, {ends[1]} were kept up with."
