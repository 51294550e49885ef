"""The steps of the pipeline, one module each: every way to decide about a request.

In the order in which they run: :mod:`~llmsim.pipeline.steps.overrides` (what the request says about
itself), :mod:`~llmsim.pipeline.steps.rate_limits` (and the queue), then
:mod:`~llmsim.pipeline.steps.faults` and :mod:`~llmsim.pipeline.steps.mocks`. A new step is a class
with ``consider``; :mod:`llmsim.runtime.runtime_config` says where in the order it comes.
"""
