"""TLS: the files of ``server.tls`` as the workers read them.

Read in this order: :mod:`~llmsim.server.tls.files` (what is in effect, and taking new ones at
SIGHUP), :mod:`~llmsim.server.tls.self_signed` (certificates for tests),
:mod:`~llmsim.server.tls.succession` (workers with new certificates take the place of the others).
"""
