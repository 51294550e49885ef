"""Each request as an OpenTelemetry span, sent to a collector by a thread of its own.

The journal is the queue: requests know nothing of spans, and cost no more for them. A thread looks
a few times a second which of the journal's requests have ended (:mod:`ended_requests`), makes a
span of each (:mod:`spans`) and sends them (:mod:`exporter`). What the journal forgets meanwhile
is counted as dropped. ``spans`` and ``exporter`` need the extra ``otel``: they are imported only
where ``telemetry.otlp`` is configured.
"""
