"""How many tokens the client of a stream has once a frame has left, also where faults change it."""

from typing import Any

import pytest
from msgspec import structs

from llmsim.core import Plan, tokens_sent
from llmsim.core.faults import Cut, ErrorEvent, Fault, FaultPoint, Malformed, Trickle, Unterminated
from llmsim.engine.faults.fault_context import FrameList
from llmsim.engine.keepalive import kept_alive
from llmsim.engine.overrides import NO_OVERRIDES
from llmsim.engine.plan import plan
from tests.engine.asking import CHAT, STAMP, asked, drawn, settings

SEVEN = FaultPoint(after_tokens=7)


def streamed(fault: Fault | None = None, **fields: Any) -> Plan:
    request = asked(stream=True, **fields)
    inputs = drawn(request, settings(tokens=12))
    overrides = structs.replace(NO_OVERRIDES, fault=fault)
    return plan(
        request, settings(tokens=12), structs.replace(inputs, overrides=overrides), CHAT, STAMP
    )


def reached(made: Plan) -> list[int]:
    assert made.reached is not None
    return [made.reached[place] for place in range(len(made.frames))]


TOKENS = list(range(1, 13))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, [1, *TOKENS, 12, 13]),
        (Cut(after=SEVEN), [1, *TOKENS[:7]]),
        (Cut(after=FaultPoint(after_tokens=0)), [0]),
        (ErrorEvent(after=SEVEN), [1, *TOKENS[:7], 7]),
        (Malformed(after=SEVEN), [1, *TOKENS[:7], 7, *TOKENS[8:], 12, 13]),
        (Unterminated(), [1, *TOKENS, 12]),
        (Trickle(factor=3.0), [1, *TOKENS, 12, 13]),
    ],
)
def test_tokens_by_frame(fault: Fault | None, expected: list[int]) -> None:
    assert reached(streamed(fault)) == expected


def test_tokens_of_several_choices_are_counted_together() -> None:
    found = reached(streamed(n=2))
    assert found == sorted(found)
    assert found[2] == 1
    assert max(found) == 2 * 12 + 1


def test_a_piece_of_a_frame_holds_no_token_yet() -> None:
    whole, pieces = streamed(), streamed(Trickle(bytes=50))
    found = reached(pieces)
    sent = 0
    for place in range(len(whole.frames)):
        last = sent + max(1, -(-len(whole.frames[place]) // 50)) - 1
        before = found[sent - 1] if sent else 0
        assert found[sent:last] == [before] * (last - sent)
        assert found[last] == reached(whole)[place]
        sent = last + 1
    assert sent == len(found)


def test_a_ping_holds_no_token() -> None:
    made = Plan(
        200, FrameList([b"a", b"b", b"c"]), [0.0, 40.0, 40.1], True, 40.0, 40.1, 1,  # type: ignore[arg-type]
        reached=[0, 1, 2],
    )  # fmt: skip
    assert reached(kept_alive(made, b".", 0.1)) == [0, 0, 0, 1, 2]


@pytest.mark.parametrize(
    ("completion", "reasoning", "shown", "got", "expected"),
    [
        (100, 0, 100, 0, (0, 0)),
        (100, 0, 100, 30, (30, 0)),
        (100, 0, 100, 101, (100, 0)),
        (150, 50, 100, 0, (0, 0)),  # thoughts that nobody sees, and nothing after them
        (150, 50, 100, 1, (51, 50)),
        (100, 40, 100, 10, (10, 10)),  # thoughts that are shown come first
        (100, 40, 100, 60, (60, 40)),
        (5, 0, 100, 60, (5, 0)),  # a mock says that they were fewer
    ],
)
def test_what_was_sent(
    completion: int, reasoning: int, shown: int, got: int, expected: tuple[int, int]
) -> None:
    assert tokens_sent(completion, reasoning, shown, got) == expected
