"""Which recording answers a request.

:mod:`~llmsim.recordings.matching.canonical` reduces a request to what its answer depends on;
:mod:`~llmsim.recordings.matching.nearest` says how two of them differ, and which of many is the
nearest.
"""
