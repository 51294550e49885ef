"""Processes, sockets and the clock."""
