"""Vertex AI: Gemini and Claude behind Google Cloud's paths, tokens and errors.

``provider`` is the value that the registry has, ``calls`` reads the paths; the codecs are those of
Gemini and Anthropic. Facts are from Google Cloud's REST reference, google-genai 3.6's converters
for Vertex and anthropic 2.14's ``lib.vertex``.
"""
