"""Public and private traces of traffic, read into one kind of row.

:mod:`~llmsim.recordings.traces.row` says what a row is, :mod:`~llmsim.recordings.traces.columns`
how a table's columns become its fields, :mod:`~llmsim.recordings.traces.formats` which formats
there are; :mod:`~llmsim.recordings.traces.spans` and :mod:`~llmsim.recordings.traces.sharegpt` read
the two that are no tables.
"""
