"""Latency that follows the load of a model's replicas: :mod:`llmsim.core.load.step_cost` says what
one step of a replica takes, :mod:`llmsim.core.load.step_clock` when its steps happen."""
