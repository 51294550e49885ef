"""Ids in recorded answers, and others in their place."""

import orjson
import pytest

from llmsim.core import Stamp
from llmsim.recordings.ids import fresh, ids, with_fresh, with_fresh_request
from llmsim.recordings.played import Played
from llmsim.recordings.recording import Payload, RecordedRequest, RecordedResponse
from tests.recordings.samples import recording

STAMP = Stamp("0123456789abcdef0123456789", 1_790_000_000)
NAME = "chatcmpl-BkW3kq8sZ1yPp0a7c9LmN2xQ4vT6u"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("msg_01AbC", "msg_01234"),
        ("plain", "01234"),
        ("resp_" + "a" * 30, "resp_" + (STAMP.mark * 2)[:30]),
        ("0af76519-16cd-43dd-8448-eb211c80319c", "0af76519-16cd-43dd-8448-0123456789ab"),
    ],
)
def test_forms_of_ids(name: str, expected: str) -> None:
    assert fresh(name, STAMP.mark) == expected


def test_ids_are_others_of_the_same_form_also_where_they_are_cut() -> None:
    frames = [f'data: {{"id":"{NAME[:15]}'.encode(), f'{NAME[15:]}"}}\n\n'.encode()]
    one = recording(0, *frames)
    made = Played(one, ids(one), 1.0).plan(STAMP)
    text = made.frames.join(0, 2).decode()
    assert text.startswith('data: {"id":"chatcmpl-0123456789abcdef')
    assert NAME not in text
    assert [len(made.frames[place]) for place in (0, 1)] == list(map(len, frames))
    assert Played(one, None, 1.0).plan(STAMP).frames.join(0, 2) == b"".join(frames)


def test_each_id_has_another_wherever_it_stands() -> None:
    document = {
        "id": "resp_aaaaaaaaaa",
        "output": [{"id": "msg_bbbbbbbbbb"}, {"call_id": "call_cccccccccc"}],
        "text": 'say "id":"not_an_id_at_all"',
        "item_id": "msg_bbbbbbbbbb",
    }
    content = orjson.dumps(document)
    one = recording(0, content)
    assert ids(one) == ("resp_aaaaaaaaaa", "msg_bbbbbbbbbb", "call_cccccccccc")
    (made,) = with_fresh([content], ids(one), STAMP)
    document = orjson.loads(made)
    assert document["id"] == "resp_0123456789"
    assert document["item_id"] == document["output"][0]["id"] != "msg_bbbbbbbbbb"
    assert document["output"][1]["call_id"] not in ("call_cccccccccc", document["item_id"])
    assert document["text"] == 'say "id":"not_an_id_at_all"'


def test_what_the_request_names_and_what_is_too_short_stays() -> None:
    frame = b'{"id":"call_1","conversation":{"id":"conv_aaaaaaaaaa"}}'
    request = RecordedRequest(path="/v1/responses", body=Payload.of(b'"conv_aaaaaaaaaa"'))
    assert ids(recording(0, frame, request=request)) == ()


def test_the_requests_own_id_is_another_too() -> None:
    head = [("x-request-id", "req_aaaaaaaaaa"), ("request-id", "req_bb"), ("etag", "req_cc")]
    expected = [("x-request-id", "req_0123456789"), ("request-id", "req_01"), ("etag", "req_cc")]
    assert with_fresh_request(head, STAMP) == expected
    one = recording(0, response=RecordedResponse(status=200, headers=head))
    kept, renewed = (Played(one, names, 1.0).plan(STAMP).headers for names in (None, ()))
    assert kept is not None
    assert renewed is not None
    assert kept[:3] == head
    assert renewed[:3] == expected
