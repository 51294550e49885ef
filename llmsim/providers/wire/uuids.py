"""Ids of requests in the form of a UUID, as clouds have them."""

from __future__ import annotations

from llmsim.core import Stamp


def request_uuid(stamp: Stamp) -> str:
    """Six digits, and the stamp's 26: from the last of them the request can be found."""
    digits = "0115e9" + stamp.mark
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
