"""What the dashboard shows: rows of panels, each a few queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SHOWN = '{instance=~"$instance"}'


@dataclass(frozen=True)
class Panel:
    """A panel: ``queries`` are (PromQL, legend), ``unit`` is Grafana's name of it."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]
    meaning: str = ""
    width: int = 8
    single: bool = False
    stacked: bool = False
    red_from: float | None = None


@dataclass(frozen=True)
class Row:
    """A row of panels under one title."""

    title: str
    panels: Sequence[Panel] = field(default_factory=tuple)


def rate(metric: str, by: str = "", where: str = "") -> str:
    """Growth of a counter per second, summed over the labels that ``by`` does not name."""
    chosen = f'{{instance=~"$instance"{", " + where if where else ""}}}'
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({metric}{chosen}[$__rate_interval]))"


def quantiles(metric: str) -> list[tuple[str, str]]:
    """Median, 95th and 99th percentile and mean of a histogram."""
    buckets = f"sum by (le) (rate({metric}_bucket{SHOWN}[$__rate_interval]))"
    shares = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")]
    made = [(f"histogram_quantile({share}, {buckets})", name) for share, name in shares]
    return [*made, (f"{rate(metric + '_sum')} / {rate(metric + '_count')}", "mean")]


def slowest(metric: str, by: str) -> list[tuple[str, str]]:
    """95th percentile of a histogram by a label: the greatest twelve."""
    buckets = f"sum by (le, {by}) (rate({metric}_bucket{SHOWN}[$__rate_interval]))"
    # What has no times yet has no percentile: no number is at least 0.
    return [(f"topk(12, histogram_quantile(0.95, {buckets}) >= 0)", f"{{{{{by}}}}}")]


def total(metric: str, by: str = "") -> str:
    """A gauge, summed."""
    return f"sum{f' by ({by})' if by else ''} ({metric}{SHOWN})"


LATE = f"sum by (le) (rate(llmsim_frame_lateness_seconds_bucket{SHOWN}[$__rate_interval]))"
FAILED = rate("llmsim_errors_total")

ROWS = (
    Row(
        "Now",
        (
            Panel("Requests", "reqps", [(rate("llmsim_requests_total"), "")], width=4, single=True),
            Panel(
                "Completion tokens",
                "short",
                [(rate("llmsim_tokens_total", where='kind="completion"'), "")],
                "Per second. The tokens of a stream are counted when it ends.",
                width=4,
                single=True,
            ),
            Panel(
                "Active requests",
                "short",
                [(total("llmsim_active_requests"), "")],
                width=4,
                single=True,
            ),
            Panel(
                "Open streams", "short", [(total("llmsim_open_streams"), "")], width=4, single=True
            ),
            Panel(
                "Frame lateness, p99",
                "s",
                [(f"histogram_quantile(0.99, {LATE})", "")],
                "Delay of llmsim's own. What you measure beyond this is not llmsim.",
                width=4,
                single=True,
                red_from=0.02,
            ),
            Panel(
                "Workers up",
                "percentunit",
                [(f"{total('llmsim_worker_up')} / {total('llmsim_workers')}", "")],
                width=4,
                single=True,
            ),
        ),
    ),
    Row(
        "Traffic",
        (
            Panel(
                "Requests by endpoint",
                "reqps",
                [(rate("llmsim_requests_total", "endpoint"), "{{endpoint}}")],
                stacked=True,
            ),
            Panel(
                "Requests by model",
                "reqps",
                [(f"topk(12, {rate('llmsim_requests_total', 'model')})", "{{model}}")],
                stacked=True,
            ),
            Panel(
                "Requests by status",
                "reqps",
                [(rate("llmsim_requests_total", "status"), "{{status}}")],
                "499: the client closed its connection.",
                stacked=True,
            ),
            Panel(
                "Open now",
                "short",
                [
                    (total("llmsim_active_requests"), "requests"),
                    (total("llmsim_open_streams"), "streams"),
                    (total("llmsim_worker_open_connections"), "connections"),
                ],
            ),
            Panel(
                "Tokens by kind",
                "short",
                [(rate("llmsim_tokens_total", "kind"), "{{kind}}")],
                "Per second. prompt includes cached, completion includes reasoning.",
            ),
            Panel(
                "Completion tokens by model",
                "short",
                [
                    (
                        "topk(12, "
                        + rate("llmsim_tokens_total", "model", 'kind="completion"')
                        + ")",
                        "{{model}}",
                    )
                ],
                stacked=True,
            ),
        ),
    ),
    Row(
        "Latency",
        (
            Panel("Request duration", "s", quantiles("llmsim_request_duration_seconds"), width=6),
            Panel(
                "Time to first token", "s", quantiles("llmsim_time_to_first_token_seconds"), width=6
            ),
            Panel(
                "Inter-token latency",
                "s",
                quantiles("llmsim_inter_token_latency_seconds"),
                "Time between two chunks of a stream, as they were sent.",
                width=6,
            ),
            Panel(
                "Queue",
                "s",
                quantiles("llmsim_queue_seconds"),
                "Time requests waited in the queue of the concurrency limit.",
                width=6,
            ),
            Panel(
                "Request duration by endpoint, p95",
                "s",
                slowest("llmsim_request_duration_seconds", "endpoint"),
            ),
            Panel(
                "Time to first token by model, p95",
                "s",
                slowest("llmsim_time_to_first_token_seconds", "model"),
            ),
            Panel(
                "Inter-token latency by model, p95",
                "s",
                slowest("llmsim_inter_token_latency_seconds", "model"),
            ),
        ),
    ),
    Row(
        "Lateness: delay of llmsim's own, not of the gateway",
        (
            Panel(
                "Frame lateness",
                "s",
                quantiles("llmsim_frame_lateness_seconds"),
                "Hand-over: from when a frame was due to when it left for the HTTP server.",
                width=12,
            ),
            Panel(
                "Frames later than 24.576 ms",
                "percentunit",
                [
                    (
                        "1 - "
                        + rate("llmsim_frame_lateness_seconds_bucket", where='le="0.024576"')
                        + " / "
                        + rate("llmsim_frame_lateness_seconds_count"),
                        "share",
                    )
                ],
                width=6,
                red_from=0.01,
            ),
            Panel("Frames", "short", [(rate("llmsim_frames_total"), "per second")], width=6),
            Panel(
                "Lateness at the socket",
                "s",
                quantiles("llmsim_delivery_lateness_seconds"),
                "From when a frame was due to when the kernel had it, of some frames: hand-over "
                "and output lag of the same frame. What a client on the same machine sees.",
            ),
            Panel(
                "Arrival lag",
                "s",
                quantiles("llmsim_arrival_lag_seconds"),
                "From when the kernel had a request to when planning begins. The time to first "
                "token hides it where it is longer.",
            ),
            Panel(
                "Output lag",
                "s",
                quantiles("llmsim_output_lag_seconds"),
                "From sending a frame to when the kernel had it, of some frames.",
            ),
        ),
    ),
    Row(
        "Errors and limits",
        (
            Panel(
                "Errors by kind",
                "reqps",
                [
                    (
                        f"{rate('llmsim_errors_total', 'kind, injected')} > 0",
                        "{{kind}} injected={{injected}}",
                    ),
                ],
            ),
            Panel(
                "Share of requests that failed",
                "percentunit",
                [(f"{FAILED} / {rate('llmsim_requests_total')}", "errors")],
                "Errors, and answers that broke off with one; not clients that left.",
            ),
            Panel(
                "Rate-limited and lost requests",
                "reqps",
                [
                    (rate("llmsim_rate_limited_total"), "rate limited"),
                    (rate("llmsim_requests_lost_total"), "lost with their worker"),
                ],
            ),
            Panel(
                "Rate limits: share left",
                "percentunit",
                [
                    (
                        f"bottomk(12, llmsim_rate_limit_remaining{SHOWN} "
                        f"/ llmsim_rate_limit{SHOWN})",
                        "{{rule}} {{key}} {{model}} {{what}}",
                    )
                ],
                width=12,
            ),
            Panel(
                "Keys: share of server.max_keys",
                "percentunit",
                [
                    (
                        f"{total('llmsim_keys', 'table')} / {total('llmsim_max_keys', 'table')}",
                        "{{table}}",
                    )
                ],
                "Callers under rate limits, and counters by name. Up to 100 % all are exact.",
                width=12,
                red_from=1.0,
            ),
        ),
    ),
    Row(
        "Workers",
        (
            Panel(
                "Processor",
                "percentunit",
                [(rate("llmsim_worker_cpu_seconds_total", "instance, worker"), "{{worker}}")],
                "Share of one core.",
                width=6,
            ),
            Panel(
                "Resident memory",
                "bytes",
                [(f"llmsim_worker_resident_memory_bytes{SHOWN}", "{{worker}}")],
                width=6,
            ),
            Panel(
                "Event-loop lag",
                "s",
                [(f"llmsim_worker_event_loop_lag_seconds{SHOWN}", "{{worker}}")],
                width=6,
                red_from=0.05,
            ),
            Panel(
                "Restarts, dropped log lines and clients, forgotten keys",
                "short",
                [
                    (total("llmsim_worker_restarts_total"), "restarts"),
                    (total("llmsim_workers_hung_total"), "of these, hung"),
                    (total("llmsim_keys_forgotten_total"), "keys forgotten"),
                    (total("llmsim_log_lines_dropped_total"), "lines dropped"),
                    (total("llmsim_clients_dropped_total"), "clients dropped"),
                ],
                width=6,
            ),
        ),
    ),
)
