"""What is sent, and when."""

import orjson
from msgspec import structs

from llmsim.recordings.recording import Transport
from llmsim.recordings.traces.row import TraceRow
from llmsim.sending.requests import Known, of_recordings, of_rows
from tests.recordings.samples import recording


def row(arrived: float, **fields: object) -> TraceRow:
    whole = {"arrived": arrived, "prompt_tokens": 40, "output_tokens": 7} | fields
    return TraceRow(**whole)  # type: ignore[arg-type]


def prompt_of(body: bytes) -> str:
    return str(orjson.loads(body)["messages"][0]["content"])


def test_recorded_requests_leave_as_far_apart_as_they_came() -> None:
    late, first, last = (recording(number) for number in (3, 1, 7))
    made = of_recordings([late, first, last])
    assert [(one.name, one.due) for one in made] == [
        ("rec_0001", 0.0), ("rec_0003", 2.0), ("rec_0007", 6.0),
    ]  # fmt: skip
    assert made[0].body == first.request.body.content
    assert made[0].before == Known(200, 0.1, 0.2, 9, 2)
    assert len(of_recordings([late, first, last], 2)) == 2
    assert of_recordings([]) == []


def test_messages_of_websockets_are_no_requests() -> None:
    one = recording()
    request = structs.replace(one.request, transport=Transport.WEBSOCKET)
    assert of_recordings([structs.replace(one, request=request)]) == []


def test_a_trace_gives_arrivals_and_lengths() -> None:
    made = list(of_rows([row(105.5), row(100.0, model="claude", ttft=0.2)], "gpt-4o"))
    assert [one.due for one in made] == [0.0, 5.5]
    bodies = [orjson.loads(one.body) for one in made]
    assert [one["model"] for one in bodies] == ["claude", "gpt-4o"]
    assert {one["max_tokens"] for one in bodies} == {7}
    assert all(one["stream"] for one in bodies)
    assert ("x-llmsim-target-tokens", "7") in made[0].headers
    assert made[0].before == Known(200, 0.2, None, 40, 7)
    assert prompt_of(made[0].body) != prompt_of(made[1].body)
    assert len(list(of_rows([row(1), row(2)], "m", 1))) == 1


def test_prompts_begin_alike_where_their_blocks_do() -> None:
    rows = [row(at, hash_ids=ids, block=16) for at, ids in ((0, (1, 2, 3)), (1, (1, 2, 9)))]
    one, other = (prompt_of(each.body) for each in of_rows(rows, "m"))
    shared = next(
        place for place, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1
    )
    assert one != other
    assert shared > len(one) / 2


def test_what_a_trace_says_was_asked_is_asked() -> None:
    messages = ({"role": "user", "content": "Hi"},)
    (made,) = of_rows([row(0, messages=messages)], "m")
    assert prompt_of(made.body) == "Hi"
