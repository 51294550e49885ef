"""What a service takes from the path or a header, put where its API has it: in the body."""

from __future__ import annotations


def with_members(body: bytes, members: bytes) -> bytes:
    """A JSON object with these members besides its own, and in place of those with their names.

    ``members`` is JSON without braces. What is no object is left as it is, to be refused.
    """
    whole = body.strip()
    if not (whole.startswith(b"{") and whole.endswith(b"}")):
        return body
    own = whole[1:-1].strip()
    return b"{%b,%b}" % (own, members) if own else b"{%b}" % members
