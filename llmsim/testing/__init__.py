"""llmsim in tests of applications: a server as a context manager, a client of its control API, and
a plugin for pytest.

:mod:`~llmsim.testing.server_process` starts and ends a server, :mod:`~llmsim.testing.addresses` has
what its clients need to find it, :mod:`~llmsim.testing.client` steers it and asks it what it was
sent. :mod:`~llmsim.testing.plugin` is what pytest loads, for everybody who has llmsim installed:
it imports nothing until a test wants its fixtures. All of it works on a server over HTTP only, so
nothing here imports the server.
"""
