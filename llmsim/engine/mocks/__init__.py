"""Mocks and scripts: which of them a request gets, and the response it gets from that.

``index`` finds the rules a request matches (``view`` is how they see it, ``matcher`` their
conditions, ``text_search`` all texts looked for at once), ``scripts`` which of a rule's responses
is next, ``rendering`` fills its templates in, and ``rendered`` makes segments of that.
"""
