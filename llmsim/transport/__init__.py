"""Sockets and the clock: how a handler sees a request, and how a plan is sent.

Read :mod:`~llmsim.transport.port` (one request and its response, whichever interface brought it),
then :mod:`~llmsim.transport.scheduler` (the only place that waits for a time and the only one that
sends) and :mod:`~llmsim.transport.deferred` (plans that are fed or re-timed while they are sent).
``rsgi``, ``asgi``, ``bridge`` and ``websocket`` are the interfaces; ``connection`` and ``kernel``
look at the connections underneath, for ``abort``, which breaks them off on purpose, and for
``slow_clients``, which bounds what waits for them; so do ``body_deadline`` and ``capacity`` for
bodies and descriptors. ``timer`` wakes the scheduler on time.
"""
