"""The configuration in effect, and how it changes while the server runs.

How a change travels: a request to ``/llmsim/config`` reaches one worker, whose
:class:`ConfigEditor` (:mod:`~llmsim.runtime.editor`) turns it into a function from the
configuration in effect to the next. :class:`ConfigStore` (:mod:`~llmsim.runtime.store`) calls
that function under a lock between processes, writes the result to a file and advances the
generation number in shared memory. The :class:`ConfigHolder` of each worker
(:mod:`~llmsim.runtime.holder`) looks at that number every 20 ms; when it has changed, it reads
the file, builds a new :class:`RuntimeConfig` in a thread (the models, the pipeline, API keys),
puts it in place of the old one and acknowledges the generation in its own slot of shared memory.
The editor's answer is sent when all workers have acknowledged, so that a client that sees it
finds the change in effect whichever worker its next request reaches.

Read :mod:`~llmsim.runtime.store`, :mod:`~llmsim.runtime.holder`, :mod:`~llmsim.runtime.editor`;
what a configuration means is :mod:`~llmsim.runtime.runtime_config` and, for each model,
:mod:`~llmsim.runtime.model_settings`.
"""
