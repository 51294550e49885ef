"""Recorded exchanges with a service: their files, and what is made of them.

Read in this order: :mod:`~llmsim.recordings.recording` (what is kept of one exchange),
:mod:`~llmsim.recordings.lines` (one recording as one line), :mod:`~llmsim.recordings.folder` (the
files of a folder, read), :mod:`~llmsim.recordings.writer` (the same, written).
"""
