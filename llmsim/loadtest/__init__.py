"""Load with a shape, by Locust (the extra ``llmsim[load]``).

``profiles`` says how many requests a second a profile has at which moment, ``measures`` keeps times
as finely as they were taken and adds them up over Locust's workers, ``locustfile`` is what Locust
runs. Only the last one imports Locust, which replaces parts of the standard library.
"""
