"""llmsim: an LLM traffic simulator, wire-exact, token-exact, time-exact and fast."""

__version__ = "0.1.0"
