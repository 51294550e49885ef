"""Sends spans to a collector, by OTLP over HTTP with protobuf."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from llmsim import __version__
from llmsim.config.settings import OTLPSettings
from llmsim.state.shm.journal import Journal
from llmsim.state.shm.layout import SPANS, SPANS_DROPPED
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.otlp.ended_requests import EndedRequests
from llmsim.telemetry.otlp.spans import span

PERIOD: Final = 0.25
"""Seconds between two looks."""
MOST: Final = 512
"""Spans that are sent at a time."""
TURN: Final = 8
"""Spans that are made before the event loop has its turn."""
TIMEOUT: Final = 5.0
"""Seconds that a collector has to answer in."""
LAST: Final = 2.0
"""Seconds for what is left when the worker ends."""
TRACES: Final = "/v1/traces"

log = logging.getLogger("llmsim")


class RequestSpans:
    """The spans of one worker. ``exporter`` None is one for the collector that is configured."""

    def __init__(
        self,
        settings: OTLPSettings,
        journal: Journal,
        counters: WorkerCounters,
        exporter: SpanExporter | None = None,
    ) -> None:
        assert settings.url is not None
        # It says of each try that it failed, with a traceback; once is enough, and said here.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._url = traces_url(settings.url)
        self._exporter = exporter or OTLPSpanExporter(self._url, timeout=TIMEOUT)
        self._requests = EndedRequests(journal, settings.sample)
        self._cells = counters.cells
        self._resource = Resource.create(
            {"service.name": settings.service_name, "service.version": __version__}
        )
        self._failing = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)

    def start(self) -> None:
        """Send from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Send what there is, for a moment, and nothing after that."""
        self._stopped.set()
        self._thread.join(LAST)

    def send(self) -> bool:
        """Send the requests that have ended; whether there may be more."""
        spans: list[ReadableSpan] = []
        for entry in self._requests.take(MOST):
            spans.append(span(entry, self._resource))
            if len(spans) % TURN == 0:
                time.sleep(0)
        lost, self._requests.dropped = self._requests.dropped, 0
        if spans and not self._sent(spans):
            lost += len(spans)
        elif spans:
            self._cells[SPANS] += len(spans)
        if lost:
            self._cells[SPANS_DROPPED] += lost
        return len(spans) == MOST

    def _sent(self, spans: list[ReadableSpan]) -> bool:
        try:
            done = self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception:  # whatever it was, the next ones may fare better
            log.debug("spans could not be sent", exc_info=True)
            done = False
        if done is self._failing:
            self._failing = not done
            if done:
                log.warning("spans are taken again: %s", self._url)
            else:
                message = "spans are not taken, see llmsim_spans_dropped_total: %s"
                log.warning(message, self._url)
        return done

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD):
            self._send_some()
        self._send_some()
        self._exporter.shutdown()

    def _send_some(self) -> None:
        try:
            self.send()
        except Exception:  # a thread that ends would end all spans
            log.exception("could not make spans")


def traces_url(url: str) -> str:
    """Where a collector takes traces: the URL itself, or its usual path where that has none."""
    return url if urlsplit(url).path.strip("/") else url.rstrip("/") + TRACES
