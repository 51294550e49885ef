"""Where llmsim's answers have another shape than those of a service that were recorded.

Read in this order: :mod:`~llmsim.drift.shapes` (the shape of an answer),
:mod:`~llmsim.drift.asking` (llmsim's own answer to a recorded request),
:mod:`~llmsim.drift.comparison` (what differs).
"""
