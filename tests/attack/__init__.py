"""Attacks on a running server, each kind in a module of its own.

    python -m tests.attack --minutes 30 [--tls] [--seed S] [--port P]

An attack is a function of an :class:`~tests.attack.target.Target` that goes on until the target's
time is up, and notes what it sent and what was wrong in the target's report. ``bodies`` has valid
bodies for every endpoint that takes one, ``mutations`` spoils them, ``fuzzing`` sends them.
To add one, write a module with such a function and name it in ``ATTACKS`` of ``__main__``.
"""
