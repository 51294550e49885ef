"""Values that must not be kept, found in recordings and replaced by others of their kind.

Read in this order: :mod:`~llmsim.recordings.anonymise.finding` (what a finding is),
:mod:`~llmsim.recordings.anonymise.secrets`, :mod:`~llmsim.recordings.anonymise.personal` and
:mod:`~llmsim.recordings.anonymise.names` (what is found), :mod:`~llmsim.recordings.anonymise.fakes`
(what takes its place), :mod:`~llmsim.recordings.anonymise.anonymiser` (a text),
:mod:`~llmsim.recordings.anonymise.json_strings` and :mod:`~llmsim.recordings.anonymise.bodies` (a
body, and frames), :mod:`~llmsim.recordings.anonymise.exchange` (a recording).
"""
