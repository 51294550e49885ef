"""Attacks on a server that is running: what nobody's client does, done on purpose."""
