"""The server: processes, sockets and the clock.

:mod:`~llmsim.server.launch` starts the workers, :mod:`~llmsim.server.worker` is one of them. It
finds the handler of a request by its path (:mod:`~llmsim.server.router`,
:mod:`~llmsim.server.routes`); :mod:`~llmsim.server.handler` reads, plans and answers it, and
:mod:`~llmsim.server.lifecycle` accounts for it. What is stored for clients is in
:mod:`~llmsim.server.resources`, llmsim's own endpoints in :mod:`~llmsim.server.admin`. Two modules
let requests in: :mod:`~llmsim.server.api_key_auth` to providers' paths, and
:mod:`~llmsim.server.admin.auth` to llmsim's own.
"""
