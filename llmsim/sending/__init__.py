"""Recorded requests, or those of a trace, sent to a server at the times at which they came.

Read in this order: :mod:`~llmsim.sending.requests` (what is sent and when),
:mod:`~llmsim.sending.sender` (sends it, open loop), :mod:`~llmsim.sending.report` (what came of
it).
"""
