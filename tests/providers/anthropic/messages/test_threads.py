"""Threads: requests that say only what is new."""

from typing import Any

import orjson
import pytest

from llmsim.core import Message, Request, Stamp, Tool, ToolCall
from llmsim.core.errors import BadRequest
from llmsim.providers.anthropic import errors as anthropic_errors
from llmsim.providers.anthropic.messages import threads
from llmsim.providers.anthropic.messages.codec import Anthropic, AnthropicBatch
from llmsim.providers.anthropic.messages.threads import Turn

SCHEMA = {"type": "object", "properties": {}}
CREATE = {"type": "create"}
CONTINUE = {"type": "continue", "previous_message_id": "msg_2"}


def body(*messages: Any, **fields: Any) -> bytes:
    sent = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": list(messages), **fields}
    return orjson.dumps(sent)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def answer(*blocks: Any) -> bytes:
    return orjson.dumps({"id": "msg", "content": list(blocks)})


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "EsAB"}
USE = {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "direct"}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "done"}
TURNS = [
    Turn(
        body(user("hi"), thread=CREATE, system="s", tools=[{"name": "f", "input_schema": SCHEMA}]),
        answer(THOUGHT, USE),
    ),
    Turn(body(user([RESULT]), thread=CONTINUE), answer({"type": "text", "text": "ok"})),
]


def continued(sent: bytes, strict: bool = False) -> Request:
    codec = Anthropic(strict)
    return codec.continued(codec.decode(sent), TURNS)


def test_a_thread_is_one_conversation() -> None:
    request = continued(body(user("and now?"), thread=CONTINUE, stream=True, max_tokens=5))
    assert request.messages == (
        Message("system", "s"),
        Message("user", "hi"),
        Message("assistant", calls=(ToolCall("t", "f", "{}"),)),
        Message("tool", "done", answers="t"),
        Message("assistant", "ok"),
        Message("user", "and now?"),
    )
    assert request.tools == (Tool("f", "", SCHEMA),)
    assert (request.stream, request.max_tokens, request.store) == (True, 5, True)


def test_only_threads_are_stored() -> None:
    codec = Anthropic()
    assert codec.decode(body(user("hi"), thread=CREATE)).store is True
    assert codec.decode(body(user("hi"))).store is False


@pytest.mark.parametrize(("thread", "name"), [(CREATE, None), (CONTINUE, "msg_2"), (None, None)])
def test_what_a_request_continues(thread: Any, name: str | None) -> None:
    request = Anthropic().decode(body(user("hi"), thread=thread))
    assert threads.previous(request.wire) == name


def test_mistakes_show_in_the_whole() -> None:
    with pytest.raises(BadRequest, match="unexpected `tool_use_id`"):
        continued(body(user([RESULT]), thread=CONTINUE))


def test_strict_validation_is_of_the_whole() -> None:
    assert continued(body(user("x"), thread=CONTINUE), strict=True)
    with pytest.raises(BadRequest, match="max_tokens: 9999999"):
        continued(body(user("x"), thread=CONTINUE, max_tokens=9_999_999), strict=True)


def test_a_batch_has_no_threads() -> None:
    assert AnthropicBatch().decode(body(user("x"), thread=CREATE))
    with pytest.raises(BadRequest, match="thread: "):
        AnthropicBatch().decode(body(user("x"), thread=CONTINUE))


def test_a_thread_that_is_lost_says_so_to_the_sdk() -> None:
    failure = threads.lost("msg_9").failure
    status, body_sent = anthropic_errors.failure(failure, Stamp("0" * 26, 0))
    assert status == 404
    assert orjson.loads(body_sent)["error"]["details"] == {"error_code": "thread_not_found"}
