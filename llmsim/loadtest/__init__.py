"""Load by Locust (the extra ``llmsim[load]``).

``profiles`` says how many requests a second a profile has at which moment, ``users`` sends requests
of each API and times their answers, ``measures`` keeps these times as finely as they were taken,
``locustfile`` is what ``llmsim loadtest`` has Locust run. All but ``profiles`` import Locust, which
replaces parts of the standard library.
"""
