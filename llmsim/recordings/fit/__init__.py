"""From recorded traffic to a configuration that behaves like it.

:mod:`~llmsim.recordings.fit.observed` takes the samples out of a trace,
:mod:`~llmsim.recordings.fit.distributions` finds the distribution that describes them best,
:mod:`~llmsim.recordings.fit.prefill` how the time to first token follows the prompt,
:mod:`~llmsim.recordings.fit.load` how the time between tokens follows the load.
:mod:`~llmsim.recordings.fit.occupancy` tells what else was answered meanwhile, and
:mod:`~llmsim.recordings.fit.alone` takes that off. Each is fitted on one half of the requests and
judged on the other.
"""
