"""The configuration in effect: what follows from it, how processes share it, how it changes."""
