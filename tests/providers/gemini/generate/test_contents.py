"""Gemini's contents as messages: roles, calls and the responses to them, media."""

from base64 import b64encode
from struct import pack
from typing import Any

import msgspec
import pytest

from llmsim.core import Message, ToolCall
from llmsim.core.errors import BadRequest
from llmsim.providers.gemini.generate.contents import read
from llmsim.providers.gemini.generate.media import tiles
from llmsim.providers.gemini.generate.parts import Content, Contents


def messages(contents: Any, system: Any = None) -> tuple[Message, ...]:
    return read(msgspec.convert(contents, Contents), msgspec.convert(system, str | Content | None))[
        0
    ]


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def call(name: str, id_: str | None = None, **args: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args} | ({"id": id_} if id_ else {})}


def response(name: str, id_: str | None = None, **said: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": said} | ({"id": id_} if id_ else {})}


TEXT = {"text": "hi"}
ONE = (Message("user", "hi"),)


@pytest.mark.parametrize(
    "contents",
    [
        "hi",
        ["hi"],
        [{"parts": [TEXT]}],
        [user(TEXT)],
        [user({"text": "h"}, {"text": "i"})],
        [user("hi")],
        [{"role": "user", "parts": "hi"}],
        [{"role": "", "parts": TEXT}],
        {"parts": [TEXT]},
        {"role": "user", "parts": "hi"},
        [user({"text": "a thought", "thought": True}, TEXT)],
    ],
)
def test_ways_to_say_hi(contents: Any) -> None:
    assert messages(contents) == ONE


@pytest.mark.parametrize(
    "system", ["be brief", {"parts": [{"text": "be "}, {"text": "brief"}]}, {"parts": "be brief"}]
)
def test_the_system_instruction_comes_first(system: Any) -> None:
    assert messages([user(TEXT)], system) == (Message("system", "be brief"), *ONE)


def test_a_conversation() -> None:
    turns = messages([user(TEXT), model({"text": "hello"}), user({"text": "and?"})])
    assert turns == (*ONE, Message("assistant", "hello"), Message("user", "and?"))


@pytest.mark.parametrize(
    "said",
    [
        [model({"text": "a"}), model({"text": "b"}), model(call("f"))],
        [model({"text": "a"}, {"text": "b"}, call("f"))],
        [model({"text": "hm", "thought": True}), model({"text": "ab"}), model(call("f"))],
        [model({"text": "ab"}), {"role": "model"}, model(call("f"))],
    ],
)
def test_the_models_text_in_several_chunks_is_one_message(said: list[Any]) -> None:
    turns = messages([user(TEXT), *said, user(response("f", result=1))])
    assert [one.role for one in turns] == ["user", "assistant", "tool"]
    assert (turns[1].text, [one.name for one in turns[1].calls]) == ("ab", ["f"])


def test_calls_and_responses_by_id() -> None:
    turns = messages(
        [
            user(TEXT),
            model(call("f", "a", x=1), call("f", "b", x=2)),
            user(response("f", "b", result=2), response("f", "a", result=1)),
        ]
    )
    assert turns[1].calls == (ToolCall("a", "f", '{"x":1}'), ToolCall("b", "f", '{"x":2}'))
    assert [(one.answers, one.text) for one in turns[2:]] == [
        ("b", '{"result":2}'),
        ("a", '{"result":1}'),
    ]


@pytest.mark.parametrize(
    ("calls", "responses", "answered"),
    [
        (["f"], ["f"], [0]),
        (["f", "g"], ["g", "f"], [1, 0]),
        (["f", "f"], ["f", "f"], [0, 1]),
        (["f", "g"], ["other", "g"], [0, 1]),
    ],
)
def test_responses_without_ids(calls: list[str], responses: list[str], answered: list[int]) -> None:
    turns = messages(
        [user(TEXT), model(*map(call, calls)), user(*(response(name, r=1) for name in responses))]
    )
    ids = [one.id for one in turns[1].calls]
    assert [one.answers for one in turns[2:]] == [ids[place] for place in answered]


@pytest.mark.parametrize(("asked", "answered"), [("x", None), (None, "x"), (None, None)])
def test_an_id_on_one_side_only_does_no_harm(asked: str | None, answered: str | None) -> None:
    turns = messages([user(TEXT), model(call("f", asked)), user(response("f", answered, r=1))])
    assert turns[2].answers == turns[1].calls[0].id


def test_the_old_role_of_responses() -> None:
    turns = messages(
        [user(TEXT), model(call("f")), {"role": "function", "parts": [response("f", r=1)]}]
    )
    assert turns[2].role == "tool"


def test_text_beside_a_function_response() -> None:
    turns = messages([user(TEXT), model(call("f")), user({"text": "there"}, response("f", r=1))])
    assert [(one.role, one.text) for one in turns[2:]] == [
        ("tool", '{"r":1}'),
        ("user", "there"),
    ]


def test_several_rounds_of_calls() -> None:
    rounds = [model(call("f")), user(response("f", r=1))]
    turns = messages([user(TEXT), *rounds, *rounds, model({"text": "done"}), user(TEXT), *rounds])
    assert len({one.answers for one in turns if one.role == "tool"}) == 3


def test_code_counts_as_text() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "print(1)"}}
    result = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}
    assert messages([user(TEXT), model(code, result)])[1].text == "print(1)1"


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ([{"role": "system", "parts": [TEXT]}], "valid role: user, model"),
        ([{"role": "user"}], r"contents\[0\].parts: contents.parts must not be empty"),
        ([user()], "contents.parts must not be empty"),
        ([user({})], r"contents\[0\].parts\[0\].data: required oneof field"),
        ([user(call("f"))], "function call turn comes immediately after a user turn"),
        ([user(response("f", r=1))], "function response turn comes immediately after"),
        ([user(TEXT), model(call("f"))], "number of function response parts is equal"),
        ([user(TEXT), model(call("f")), user(TEXT)], "number of function response parts is equal"),
        (
            [user(TEXT), model(call("f"), call("g")), user(response("f", r=1))],
            "number of function response parts is equal",
        ),
        (
            [user(TEXT), model(call("f")), user(response("f", r=1), response("f", r=1))],
            "function response turn comes immediately after",
        ),
        (
            [user(TEXT), model(call("f", "a")), user(response("f", "a"), response("f", "a"))],
            "function response turn comes immediately after",
        ),
    ],
)
def test_what_does_not_fit_together(contents: Any, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        messages(contents)


def picture(width: int, height: int) -> str:
    """The head of a PNG of that size, in base64."""
    return b64encode(b"\x89PNG\r\n\x1a\n" + pack(">I4sII", 13, b"IHDR", width, height)).decode()


def inline(kind: str, data: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": data}}


@pytest.mark.parametrize(
    ("part", "modality", "tokens"),
    [
        (inline("image/png", "AAAA"), "IMAGE", 258),
        (inline("image/png", picture(384, 384)), "IMAGE", 258),
        (inline("image/png", picture(960, 540)), "IMAGE", 6 * 258),
        (inline("application/pdf", "A" * 68_000), "DOCUMENT", 2 * 258),
        (inline("audio/wav", "A" * 21_000), "AUDIO", 32),
        (inline("video/mp4", "A" * 170_000), "VIDEO", 2 * 263),
        (inline("text/plain", "A" * 160), "TEXT", 30),
        ({"fileData": {"fileUri": "https://x/y", "mimeType": "image/png"}}, "IMAGE", 258),
        ({"fileData": {"fileUri": "https://x/y", "mimeType": "audio/mp3"}}, "AUDIO", 32),
        ({"fileData": {"fileUri": "https://x/y", "mimeType": "video/mp4"}}, "VIDEO", 263),
        ({"fileData": {"fileUri": "https://x/y"}}, "DOCUMENT", 258),
    ],
)
def test_media_are_counted(part: Any, modality: str, tokens: int) -> None:
    turns, media = read(msgspec.convert([user(TEXT, part)], Contents), None)
    assert media == {modality: tokens}
    assert (turns[0].text, turns[0].extra) == ("hi", tokens)
    assert turns[0].mark != 0


def test_other_media_have_another_mark() -> None:
    one, other = (
        messages([user(inline("image/png", picture(size, 10)))])[0].mark for size in (10, 11)
    )
    assert one != other


@pytest.mark.parametrize(
    ("size", "count"),
    [((0, 0), 1), ((384, 1), 1), ((385, 384), 4), ((960, 540), 6), ((768, 768), 4),
     ((4000, 4000), 36), ((10_000, 10), 40)],
)  # fmt: skip
def test_tiles(size: tuple[int, int], count: int) -> None:
    assert tiles(*size) == count
