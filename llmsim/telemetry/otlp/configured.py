"""Spans, if the configuration asks for any: what makes and sends them is an extra, and imported
only for those who use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmsim.config.settings import OTLPSettings
from llmsim.state.shm.journal import Journal
from llmsim.state.shm.worker_counters import WorkerCounters

if TYPE_CHECKING:
    from llmsim.telemetry.otlp.exporter import RequestSpans


class NoSpans(Exception):  # noqa: N818  named for what it says
    """Why no spans can be sent."""


def request_spans(
    settings: OTLPSettings, journal: Journal, counters: WorkerCounters
) -> RequestSpans | None:
    """What sends the spans of one worker; None if nobody wants them."""
    if settings.url is None or not settings.sample:
        return None
    from llmsim.telemetry.otlp.exporter import RequestSpans  # noqa: PLC0415

    return RequestSpans(settings, journal, counters)


def prepare(settings: OTLPSettings) -> None:
    """Look whether that will work, before there are workers, which then have all that is imported.
    Raises NoSpans."""
    if settings.url is None:
        return
    try:
        from llmsim.telemetry.otlp import exporter  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        advice = "pip install 'llmsim[otel]'"
        raise NoSpans(f"telemetry.otlp: {error.name} is not installed: {advice}") from None
