"""The terminal dashboard: what a running server tells at ``/llmsim/stats``, drawn."""
