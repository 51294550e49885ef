"""Metrics and logs, from the counters of all workers.

``snapshot`` sums the counters; ``stats``, ``prometheus``, ``vllm`` and ``workers`` are its output
formats, ``recent`` the times of the last seconds, ``logs`` the form of log lines.
"""
