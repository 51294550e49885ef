"""Images on the wire: plain, streamed and linked to, and the forms that ask for them."""

from base64 import b64encode
from struct import pack
from typing import Any

import httpx
import orjson
import pytest
from openai.types import (
    ImageEditCompletedEvent,
    ImageEditPartialImageEvent,
    ImageGenCompletedEvent,
    ImageGenPartialImageEvent,
    ImagesResponse,
)

from llmsim.core import (
    Canvas,
    Choice,
    Completion,
    Finish,
    Image,
    Paint,
    Picture,
    Pictures,
    Request,
    Stamp,
    Usage,
)
from llmsim.core.errors import BadRequest, Failure
from llmsim.providers.openai.images.codec import OpenAIImages
from llmsim.providers.openai.images.params import Purpose

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
TOKENS = 100
PNG = b"\x89PNG\r\n\x1a\n" + pack(">I4sII", 13, b"IHDR", 640, 480) + bytes(40)


def codec(purpose: Purpose = "generations") -> OpenAIImages:
    return OpenAIImages(purpose, lambda canvas: f"http://sim/{canvas.seed}.{canvas.form}")


def asked(**fields: Any) -> Request:
    return codec().decode(orjson.dumps({"prompt": "an otter", **fields}))


def completion(request: Request) -> Completion:
    """A completion with the right number of pictures, whose files are a few letters."""
    task = request.task
    assert isinstance(task, Paint)
    versions = tuple(b"v%d" % place for place in range(task.partial + 1))
    pictures = tuple(
        Picture(Canvas(seed, 8, 8, task.canvas.form), () if task.linked else versions)
        for seed in range(request.n)
    )
    choices = (Choice((), TOKENS, Finish.STOP),) * request.n
    return Completion(choices, Usage(12, TOKENS * request.n), Pictures(pictures, 2))


def answered(**fields: Any) -> Any:
    request = asked(**fields)
    answer = codec().plain(request, completion(request), STAMP)
    ImagesResponse.model_validate_json(answer, strict=True)
    return orjson.loads(answer)


def events(purpose: Purpose, **fields: Any) -> list[Any]:
    """The data of a stream's events, whose names must be the data's types."""
    request = asked(stream=True, **fields)
    script = codec(purpose).script(request, completion(request), STAMP)
    made = []
    for place in range(len(script.frames)):
        name, data, *rest = script.frames[place].split(b"\n")
        assert rest == [b"", b""]
        made.append(orjson.loads(data.removeprefix(b"data: ")))
        assert name == b"event: " + made[-1]["type"].encode()
    return made


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def test_a_plain_answer() -> None:
    assert answered(n=2, quality="low", size="512x256") == {
        "created": STAMP.created,
        "data": [{"b64_json": b64(b"v0")}] * 2,
        "background": "opaque",
        "output_format": "png",
        "quality": "low",
        "size": "512x256",
        "usage": {
            "input_tokens": 12,
            "input_tokens_details": {"image_tokens": 2, "text_tokens": 10},
            "output_tokens": 2 * TOKENS,
            "output_tokens_details": {"image_tokens": 2 * TOKENS, "text_tokens": 0},
            "total_tokens": 12 + 2 * TOKENS,
        },
    }


def test_pictures_may_be_linked_to() -> None:
    answer = answered(n=2, response_format="url", output_format="webp")
    assert answer["data"] == [{"url": "http://sim/0.webp"}, {"url": "http://sim/1.webp"}]


@pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3"])
def test_old_models_link_and_report_no_usage(model: str) -> None:
    assert answered(model=model) == {
        "created": STAMP.created,
        "data": [{"url": "http://sim/0.png", "revised_prompt": "an otter"}],
    }
    answer = answered(model=model, response_format="b64_json")
    assert answer["data"] == [{"b64_json": b64(b"v0"), "revised_prompt": "an otter"}]


@pytest.mark.parametrize(
    ("purpose", "partial", "completed"),
    [
        ("generations", ImageGenPartialImageEvent, ImageGenCompletedEvent),
        ("edits", ImageEditPartialImageEvent, ImageEditCompletedEvent),
    ],
)
def test_a_stream_has_its_unfinished_versions_first(
    purpose: Purpose, partial: Any, completed: Any
) -> None:
    *unfinished, done = events(purpose, partial_images=2)
    assert [partial.model_validate(one).partial_image_index for one in unfinished] == [0, 1]
    assert [one["b64_json"] for one in unfinished] == [b64(b"v0"), b64(b"v1")]
    read = completed.model_validate(done)
    assert (read.b64_json, read.created_at) == (b64(b"v2"), STAMP.created)
    assert (read.usage.input_tokens, read.usage.output_tokens) == (12, TOKENS)


@pytest.mark.parametrize(
    ("partial", "n", "beats"),
    [
        (0, 1, [99]),
        (1, 1, [49, 99]),
        (3, 1, [24, 49, 74, 99]),
        (1, 2, [49, 99, 149, 199]),
    ],
)
def test_versions_come_at_even_intervals(partial: int, n: int, beats: list[int]) -> None:
    request = asked(stream=True, partial_images=partial, n=n)
    assert codec().script(request, completion(request), STAMP).beats[:].tolist() == beats


def test_no_version_comes_before_the_first_token() -> None:
    request = asked(stream=True, partial_images=3)
    short = Completion((Choice((), 1, Finish.STOP),), Usage(1, 1), completion(request).made)
    assert codec().script(request, short, STAMP).beats[:].tolist() == [0, 0, 0, 0]


# --- requests -----------------------------------------------------------------------------------


def test_a_small_request_has_the_defaults() -> None:
    request = asked()
    assert (request.model, request.n, request.stream) == ("gpt-image-2", 1, False)
    assert request.task == Paint(Canvas(0, 1024, 1024), "medium", 0, False)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"size": "auto"}, Paint(Canvas(0, 1024, 1024))),
        ({"size": "1536x864"}, Paint(Canvas(0, 1536, 864))),
        ({"quality": "hd"}, Paint(Canvas(0, 1024, 1024), "high")),
        ({"quality": "auto"}, Paint(Canvas(0, 1024, 1024), "medium")),
        (
            {"output_format": "webp", "background": "transparent", "output_compression": 30},
            Paint(Canvas(0, 1024, 1024, "webp", True, 30)),
        ),
        ({"partial_images": 2}, Paint(Canvas(0, 1024, 1024))),
        ({"partial_images": 2, "stream": True}, Paint(Canvas(0, 1024, 1024), partial=2)),
        ({"response_format": "url"}, Paint(Canvas(0, 1024, 1024), linked=True)),
        ({"response_format": "url", "stream": True}, Paint(Canvas(0, 1024, 1024))),
        ({"model": "dall-e-3"}, Paint(Canvas(0, 1024, 1024), linked=True)),
    ],
)
def test_the_task(fields: dict[str, Any], expected: Paint) -> None:
    assert asked(**fields).task == expected


def refused(body: bytes, purpose: Purpose = "generations") -> Failure:
    with pytest.raises(BadRequest) as caught:
        codec(purpose).decode(body)
    return caught.value.failure


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": "x" * 32_001}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"size": "large"}, "size"),
        ({"size": "15x100"}, "size"),
        ({"size": "3841x100"}, "size"),
        ({"size": "3840x2161"}, "size"),
        ({"size": "٣٢x٣٢"}, "size"),
        ({"output_format": "gif"}, "output_format"),
        ({"output_compression": 101}, "output_compression"),
        ({"partial_images": 4}, "partial_images"),
        ({"quality": "best"}, "quality"),
        ({"background": "transparent", "output_format": "jpeg"}, "background"),
    ],
)
def test_what_is_refused_is_named(fields: dict[str, Any], param: str) -> None:
    assert refused(orjson.dumps({"prompt": "x", **fields})).param == param


def form(data: dict[str, str], *files: tuple[str, bytes]) -> bytes:
    named = [(name, ("a.png", content, "image/png")) for name, content in files]
    return httpx.Request("POST", "http://x", data=data, files=named).read()


def test_an_edit_is_a_form_with_pictures() -> None:
    fields = {"prompt": "a beret", "n": "2", "stream": "true", "partial_images": "1", "size": ""}
    body = form(fields, ("image[]", PNG), ("image[]", b"no picture"), ("mask", PNG))
    request = codec("edits").decode(body)
    assert (request.n, request.stream) == (2, True)
    assert request.task == Paint(Canvas(0, 1024, 1024), partial=1)
    (message,) = request.messages
    assert message.text == "a beret"
    assert message.images == (
        Image("high", 640, 480),
        Image("high", 0, 0),
        Image("high", 640, 480),
    )


def test_an_edit_may_be_json_with_references() -> None:
    url = "data:image/png;base64," + b64(PNG)
    body = {"prompt": "a beret", "images": [{"image_url": url}, {"file_id": "file-1"}]}
    (message,) = codec("edits").decode(orjson.dumps(body)).messages
    assert message.images == (Image("high", 640, 480), Image("high", 0, 0))


@pytest.mark.parametrize("purpose", ["edits", "variations"])
def test_other_pictures_are_other_requests(purpose: Purpose) -> None:
    bodies = [form({"prompt": "x"}, ("image", content)) for content in (b"one", b"two")]
    one, two = (codec(purpose).decode(body).messages[0].mark for body in bodies)
    assert one != two


def test_a_variation_needs_no_prompt_and_is_no_stream() -> None:
    request = codec("variations").decode(form({"stream": "true"}, ("image", PNG)))
    assert (request.messages[0].text, request.stream) == ("", False)


@pytest.mark.parametrize(
    ("purpose", "body", "param"),
    [
        ("edits", form({"prompt": "x"}, ("mask", PNG))[:-4], None),
        ("edits", form({"prompt": "x"}, ("other", PNG)), "image"),
        ("edits", form({"prompt": "x"}, ("mask", PNG)), "image"),
        ("edits", form({"n": "1"}, ("image", PNG)), "prompt"),
        ("edits", form({"prompt": "x", "n": "many"}, ("image", PNG)), "n"),
        ("edits", b'{"prompt": "x"}', "image"),
        ("variations", form({"n": "11"}, ("image", PNG)), "n"),
        ("variations", b"{}", "image"),
        ("generations", b"{", None),
    ],
)
def test_forms_that_are_refused(purpose: Purpose, body: bytes, param: str | None) -> None:
    assert refused(body, purpose).param == param
