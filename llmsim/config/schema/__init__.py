"""The shape of llmsim.yaml, in pydantic models: their fields are the keys, as they are written.

``section`` is what they have in common, ``values`` the kinds of values keys have; the others are
one module a subject, and ``root`` puts them together. Each model has a type of the core or of
:mod:`llmsim.config.settings` that it becomes (``build``) and is written from (``write``).

Importing this takes a tenth of a second: whoever may not need it imports it late.
"""
