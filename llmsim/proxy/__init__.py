"""A transparent proxy in front of the providers' services, which records what goes through it.

Read in this order: :mod:`~llmsim.proxy.upstreams` (where requests go, and where they may not),
:mod:`~llmsim.proxy.headers` (what is passed on), :mod:`~llmsim.proxy.exchange` (one request and its
answer), :mod:`~llmsim.proxy.recorder` (what becomes of it on disk), :mod:`~llmsim.proxy.worker`
(the process), :mod:`~llmsim.proxy.launch`.
"""
