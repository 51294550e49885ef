"""The terminal dashboard: what a running server answers at ``/llmsim/stats``, drawn.

From the server to the screen: ``stats_client`` reads it over HTTP, ``poller`` does so at intervals
in a thread, ``stats`` is what was read, ``history`` makes rates of it, a pure function for each
panel (``traffic``, ``latency``, ``rankings``, ``errors``, ``rate_limits``, ``workers``) makes lines
of that, ``panel`` and ``app`` show them. Needs the extra ``llmsim[tui]``.
"""
