"""Requests as client and journal saw them, made up."""

from typing import Any

from llmsim.overhead.answers import SeenAnswer
from llmsim.overhead.joining import Joined
from llmsim.overhead.journal import FrameCounts, JournalRecord, Times

ID = "0000000000001" + "2f25c9c197b3f"


def seen(**fields: Any) -> SeenAnswer:
    """A stream of ten tokens, each read alone, from 1.1 to 2.0 s."""
    made: dict[str, Any] = {
        "number": 0,
        "due": 0.0,
        "sent": 0.0,
        "fresh": False,
        "stream": True,
        "status": 200,
        "error": None,
        "headers": (),
        "head": 1.1,
        "first": 1.1,
        "before_last": 1.9,
        "last": 2.0,
        "end": 2.0,
        "text_events": 10,
        "text_reads": 10,
        "first_events": 1,
        "last_events": 1,
    }
    return SeenAnswer(**made | fields)


def record(**fields: Any) -> JournalRecord:
    """What llmsim remembers of it: arrived at 0.0, first token at 1.1 s, last one at 2.0 s."""
    made: dict[str, Any] = {
        "id": ID,
        "arrived": 0.0,
        "status": 200,
        "planned": Times(ttft_ms=1100.0, total_ms=2000.0),
        "actual": Times(first_ms=1100.0, total_ms=2000.0),
        "frames": FrameCounts(12, 12),
        "stream": True,
        "tokens": {"completion": 10, "reasoning": 0},
    }
    return JournalRecord(**made | fields)


def one(seen_fields: dict[str, Any], **record_fields: Any) -> Joined:
    return Joined(seen(**seen_fields), (record(**record_fields),))
