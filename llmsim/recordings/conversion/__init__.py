"""An answer that was recorded plain, sent as a stream, and the other way round.

:mod:`~llmsim.recordings.conversion.said` reads what a recorded answer says, in whichever
API's words; :mod:`~llmsim.recordings.conversion.completion` makes a completion of it, with a clock
of the recorded times; :mod:`~llmsim.recordings.conversion.converted` has a codec write that, as it
writes any other.
"""
