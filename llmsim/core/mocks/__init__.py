"""Mocks and scripts: which requests they are for, and what those are answered.

``mock`` first: a mock or a script has a ``match`` (conditions on a request) and responses
(``response``), whose texts are templates (``template``). ``body_path`` and ``regex`` are the two
small languages that conditions and templates use.
"""
