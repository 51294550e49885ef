"""Whole recordings: a value that is planted anywhere, cut anywhere, is in no line."""

import json
from typing import Any

import pytest
from msgspec import structs

from llmsim.providers.registry import PROVIDERS
from llmsim.recordings.anonymise.anonymiser import AnonymiseRules
from llmsim.recordings.anonymise.exchange import anonymised, without_credentials
from llmsim.recordings.lines import to_line
from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    Recording,
)
from tests.recordings.samples import recording

KEY = "sk-proj-Ab12Cd34Ef56Gh78Ij90Kl"
EMAIL = "ann.baker@corp-mail.io"
RULES = AnonymiseRules("strict")


def event(data: dict[str, Any], name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def chat(text: str) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


def arguments(text: str) -> bytes:
    call = {"index": 0, "function": {"arguments": text}}
    return event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})


def responses(text: str) -> bytes:
    data = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0}
    return event(data | {"content_index": 0, "delta": text}, data["type"])


def anthropic(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return event({"type": "content_block_delta", "index": 0, "delta": delta})


def partial_json(text: str) -> bytes:
    delta = {"type": "input_json_delta", "partial_json": text}
    return event({"type": "content_block_delta", "index": 1, "delta": delta})


def gemini(text: str) -> bytes:
    return event({"candidates": [{"content": {"parts": [{"text": text}]}, "index": 0}]})


def logprobs(text: str) -> bytes:
    tokens = [{"token": text[:3], "logprob": -0.1}, {"token": text[3:], "logprob": -0.1}]
    delta = {"index": 0, "delta": {"content": text}, "logprobs": {"content": tokens}}
    return event({"choices": [delta]})


def plain_text(text: str) -> bytes:
    return text.encode()


STREAMS = [
    chat, arguments, responses, anthropic, partial_json, gemini, logprobs, plain_text,
]  # fmt: skip


def answered(*frames: bytes) -> Recording:
    made = [RecordedFrame(at=0.1, body=Payload.of(one)) for one in frames]
    return recording(0, response=RecordedResponse(status=200, frames=made, ended=0.2))


def assembled(stream: Any, contents: list[bytes]) -> str:
    """The text a client puts together."""
    if stream is plain_text:
        return b"".join(contents).decode()
    text = ""
    for line in b"".join(contents).decode().splitlines():
        if line.startswith("data: "):
            data = json.loads(line[6:])
            leaf: Any = data.get("delta", data)
            if "choices" in data:
                leaf = data["choices"][0]["delta"]
                leaf = leaf["tool_calls"][0]["function"] if "tool_calls" in leaf else leaf
            if "candidates" in data:
                leaf = data["candidates"][0]["content"]["parts"][0]
            if isinstance(leaf, dict):
                names = ("content", "arguments", "text", "partial_json")
                leaf = next(leaf[name] for name in names if name in leaf)
            text += leaf
    return text


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("value", [KEY, EMAIL])
def test_a_value_cut_at_any_place_is_replaced_whole(stream: Any, value: str) -> None:
    before, after = '{"to": "', '", "x": 1} and more'
    for cut in range(len(value) + 1):
        frames = [stream(before + value[:cut]), stream(value[cut:] + after)]
        made, _ = anonymised(answered(*frames), RULES, b"salt")
        contents = [frame.body.content for frame in made.response.frames]
        text = assembled(stream, contents)
        assert text.startswith(before)
        assert text.endswith(after)
        fake = text[len(before) : -len(after)]
        assert fake != value
        line = to_line(made).decode()
        assert value not in line
        for piece in (value[:cut], value[cut:]):
            if len(piece) > 8:
                assert piece not in line, cut


@pytest.mark.parametrize("stream", [chat, anthropic, gemini])
def test_bytes_cut_at_any_place_between_frames(stream: Any) -> None:
    body = stream(f"Write to {EMAIL} é or {EMAIL}.") + stream("x") + b"data: [DONE]\n\n"
    whole, _ = anonymised(answered(body), RULES, b"salt")
    for cut in range(len(body) + 1):
        made, _ = anonymised(answered(body[:cut], body[cut:]), RULES, b"salt")
        assert len(made.response.frames) == 2
        assert made.response.content == whole.response.content


def test_all_other_bytes_stay() -> None:
    frames = [b'data: {"a" :1,"text":"\\u00e9 \\/"}\r\n\r', b"\n", b": ping\n\n", b"\xff\xfe"]
    made, report = anonymised(answered(*frames), RULES)
    assert [frame.body.content for frame in made.response.frames] == frames
    assert not report.replaced


REQUESTS = [
    {"path": f"/v1/models/{EMAIL}"},
    {"query": f"key={KEY}&alt=sse"},
    {"query": f"user={EMAIL.replace('@', '%40')}"},
    {"headers": [("authorization", f"Bearer {KEY}")]},
    {"headers": [("x-goog-api-key", "short")]},
    {"headers": [("x-custom-token", "abc def")]},
    {"headers": [("cookie", "session=abc; more=x1y2z3")]},
    {"headers": [("user-agent", f"me ({EMAIL})")]},
    {"body": {"messages": [{"role": "user", "content": f"I am {EMAIL}"}]}},
    {"body": {"messages": [{"role": "user", "content": [{"type": "text", "text": KEY}]}]}},
    {"body": {"tool_calls": [{"function": {"arguments": json.dumps({"password": "tr0ub4&x"})}}]}},
    {"body": {"arguments": json.dumps({"to": EMAIL, "é": "\u2028"})}},
    {"body": {"tools": [{"description": f"Mail {EMAIL}"}], EMAIL: 1}},
    {"body": {"db": {"password": "hunter2hunter2"}}},
    {"body": {"card": 4111111111111111}},
    {"body": f"just text of {EMAIL}"},
]
SECRETS = [
    KEY, EMAIL, EMAIL.replace("@", "%40"), "short", "abc def", "session=abc", "x1y2z3", "tr0ub4&x",
    "hunter2hunter2", "4111111111111111",
]  # fmt: skip


@pytest.mark.parametrize("parts", REQUESTS)
def test_nothing_of_a_request_is_kept(parts: dict[str, Any]) -> None:
    body = parts.get("body", {})
    text = body if isinstance(body, str) else json.dumps(body)
    fields = {"path": "/v1/x"} | parts | {"body": Payload.of(text.encode())}
    one = structs.replace(
        recording(), request=RecordedRequest(**fields), correlation={"x-request-id": EMAIL}
    )
    made, _ = anonymised(one, RULES)
    line = to_line(made).decode()
    for secret in SECRETS:
        assert secret not in line
    assert made.anonymised is not None
    assert made.anonymised.kinds
    if not isinstance(body, str):
        content = json.loads(made.request.body.content)
        assert len(content) == len(body)
        for name in ("arguments",):
            if name in content:
                assert json.loads(content[name])["é"] == "\u2028"


def test_a_password_of_the_request_is_replaced_in_the_answer() -> None:
    body = Payload.of(b'{"prompt": "The password is: corr3ct-horse"}')
    one = structs.replace(
        answered(chat("You said corr3ct"), chat("-horse.")),
        request=RecordedRequest(path="/v1/x", body=body),
    )
    made, _ = anonymised(one, RULES)
    text = assembled(chat, [frame.body.content for frame in made.response.frames])
    assert "corr3ct-horse" not in text
    assert text.startswith("You said ")


@pytest.mark.parametrize(
    "name", ["signature", "encrypted_content", "thoughtSignature", "embedding"]
)
def test_signatures_stay_whole(name: str) -> None:
    value = "ErUBCkYICRgCIkD4Kx9zq7Ab12Cd34Ef56Gh78Ij90KlMnOpQrSt"
    made, _ = anonymised(answered(event({"delta": {name: value}})), RULES)
    assert value in made.response.content.decode()


def test_credentials_are_never_kept_even_where_nothing_is_anonymised() -> None:
    names = [name for one in PROVIDERS for name in (*one.auth.headers, "api-key", "cookie")]
    headers = [(name, KEY) for name in names] + [("accept", "y")]
    request = RecordedRequest(path="/v1/x", query=f"key={KEY}&alt=sse&beta", headers=headers)
    response = RecordedResponse(status=200, headers=[("set-cookie", KEY), ("a", "b")])
    made = without_credentials(recording(0, request=request, response=response))
    assert made.request.headers == [("accept", "y")]
    assert made.request.query == "alt=sse&beta"
    assert made.response.headers == [("a", "b")]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
def test_the_list_of_credentials_is_the_one_that_keys_are_read_from(provider: Any) -> None:
    asked: list[str] = []

    def header(name: str) -> None:
        asked.append(name)

    provider.auth.key(header, "")
    assert set(asked) <= set(provider.auth.headers)
    for name in provider.auth.headers:
        value = "Bearer abc" if name == "authorization" else "abc"
        assert provider.auth.key({name: value}.get, "") == "abc"
    for name in provider.auth.parameters:
        assert provider.auth.key(lambda _: None, f"{name}=abc") == "abc"
