"""Mocks and scripts: which of them a request gets, and what it says."""
