"""From the bytes of a request to its plan: everything that decides about an answer, and no socket.

Read :mod:`~llmsim.pipeline.context` (a call, and a request as the steps see it), then
:mod:`~llmsim.pipeline.pipeline` (the whole way, in one object that the server, batches,
WebSockets and ``llmsim plan`` share), then :mod:`~llmsim.pipeline.steps`. What the pipeline needs
of shared state it is handed through the protocols of :mod:`llmsim.core.state`; it reads no clock,
draws no random number and waits only through what it is handed.
"""
