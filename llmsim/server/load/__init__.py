"""Answers of models under load, whose times are decided while they are written."""
