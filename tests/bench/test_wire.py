"""Requests that the load clients send."""

import json

import pytest

from bench.wire import BODIES, FRESH, WIRES, conversation


def parts(request: bytes) -> tuple[list[bytes], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@pytest.mark.parametrize("body", BODIES)
def test_a_request_is_http_with_a_json_body(wire, body):
    head, content = parts(wire.request(BODIES[body](), 100, stream=False))
    assert head[0] == f"POST {wire.path} HTTP/1.1".encode()
    assert f"content-length: {len(content)}".encode() in head
    assert isinstance(json.loads(content), dict)


def test_a_stream_may_be_asked_for_elsewhere():
    wire = WIRES["gemini"]
    head, _ = parts(wire.request(BODIES["small"](), 100, stream=True))
    assert head[0] == f"POST {wire.stream_path} HTTP/1.1".encode()
    assert wire.stream_path != wire.path


@pytest.mark.parametrize(("count", "first"), [(1, "user"), (3, "user"), (2, "system")])
def test_the_last_message_is_the_users(count, first):
    request = WIRES["openai_chat"].request(conversation(count, 40, fresh=False), 5, stream=True)
    roles = [message["role"] for message in json.loads(parts(request)[1])["messages"]]
    assert (roles[0], roles[-1], len(roles)) == (first, "user", count)


def test_the_long_body_is_20_kb_of_50_messages():
    _, content = parts(WIRES["openai_chat"].request(BODIES["20 KB"](), 100, stream=False))
    assert len(json.loads(content)["messages"]) == 50
    assert 19_500 <= len(content) <= 20_500


@pytest.mark.parametrize("body", BODIES)
def test_the_placeholder_is_there_once_where_text_is_new(body):
    request = WIRES["openai_chat"].request(BODIES[body](), 100, stream=False)
    assert request.count(FRESH) == ("new" in body)


def test_no_two_messages_are_the_same():
    texts = conversation(50, 350, fresh=False)
    assert len(set(texts)) == 50
