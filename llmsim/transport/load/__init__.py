"""Sends answers of models under load, by the steps of a replica."""
