"""What happened to the events of a stream."""

import pytest

from llmsim.overhead.answers import events
from llmsim.overhead.frames import _change, _fields, _masked
from tests.overhead.made import ID

SENT = (
    b'data: {"id":"chatcmpl-LMs%b","created":17,"a":1}\n\ndata: {"b":[{"c":2}]}\n\ndata: [DONE]\n\n'
)
DIRECT = SENT % ID.encode()
OTHER_ID = SENT.replace(b"17", b"18") % (b"f" * 26)
A, B, DONE = DIRECT.split(b"\n\n")[:3]


@pytest.mark.parametrize(
    ("through", "change"),
    [
        (DIRECT, "same_bytes"),
        (OTHER_ID, "same_bytes"),
        (DIRECT.replace(b"\n", b"\r\n"), "same_bytes"),
        (DIRECT.replace(b'"a":1', b'"a": 1'), "same_json"),
        (b"\n\n".join([B, A, DONE, b""]), "reordered"),
        (DIRECT.replace(b'"a":1', b'"a":2'), "changed"),
        (b"\n\n".join([A, DONE, b""]), "changed"),
    ],
)
def test_changes_are_told_apart(through: bytes, change: str) -> None:
    passed, sent = (list(events(_masked(one))) for one in (through, DIRECT))
    assert _change(passed, sent) == change


def test_fields_are_named_by_their_path() -> None:
    assert _fields(list(events(DIRECT))) == {"id", "created", "a", "b", "b.c"}
