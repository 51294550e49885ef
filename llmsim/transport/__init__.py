"""Sockets and the clock: how a handler sees a request, and how a plan is sent."""
