"""Sounds and pictures without a model: small, and the same for the same text.

``speech`` says a text as tones, one a token; ``audio_files`` puts sound into files of each format;
``png`` draws. All of it is pure. Only a provider knows when its answers have any.
"""
