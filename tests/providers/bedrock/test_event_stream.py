"""AWS's event stream byte by byte, and as botocore's own parser reads it."""

from binascii import unhexlify
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from llmsim.providers.wire import event_stream

MESSAGE_START = (
    "00000076 00000052 96d5fade"
    " 0b3a6576656e742d74797065 07 000c 6d6573736167655374617274"
    " 0d3a636f6e74656e742d74797065 07 0010 6170706c69636174696f6e2f6a736f6e"
    " 0d3a6d6573736167652d74797065 07 0005 6576656e74"
    " 7b22726f6c65223a22617373697374616e74227d"
    " 6fa8c599"
)
"""Lengths and their checksum, three headers, the payload, the checksum of all."""

THROTTLED = (
    "00000081 00000061 d3111785"
    " 0f3a657863657074696f6e2d74797065 07 0013 7468726f74746c696e67457863657074696f6e"
    " 0d3a636f6e74656e742d74797065 07 0010 6170706c69636174696f6e2f6a736f6e"
    " 0d3a6d6573736167652d74797065 07 0009 657863657074696f6e"
    " 7b226d657373616765223a226e6f227d"
    " f0d44043"
)


def read(data: bytes) -> list[Any]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


def golden(text: str) -> bytes:
    return unhexlify(text.replace(" ", ""))


def test_a_message_byte_by_byte() -> None:
    made = event_stream.event("messageStart", b'{"role":"assistant"}')
    assert made == golden(MESSAGE_START)
    (message,) = read(made)
    assert message.headers == {
        ":event-type": "messageStart",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    assert message.payload == b'{"role":"assistant"}'


@given(st.lists(st.tuples(st.sampled_from(["chunk", "metadata"]), st.binary(max_size=300))))
def test_whatever_is_written_is_read(messages: list[tuple[str, bytes]]) -> None:
    data = b"".join(event_stream.event(name, payload) for name, payload in messages)
    found = [(one.headers[":event-type"], one.payload) for one in read(data)]
    assert found == messages


def test_an_exception() -> None:
    made = event_stream.exception("throttlingException", b'{"message":"no"}')
    assert made == golden(THROTTLED)
    (message,) = read(made)
    assert message.headers[":exception-type"] == "throttlingException"
    assert message.to_response_dict()["status_code"] == 400


@pytest.mark.parametrize("place", [0, 8, 20, -6, -1])
def test_a_changed_byte_is_seen(place: int) -> None:
    made = bytearray(event_stream.event("chunk", b'{"bytes":"aGk="}') * 2)
    made[place if place >= 0 else len(made) // 2 + place] ^= 1
    with pytest.raises(ChecksumMismatch):
        read(bytes(made))


def test_what_is_cut_is_not_read() -> None:
    made = event_stream.event("chunk", b"{}")
    assert read(made[:-1]) == []
