"""The newest `openai` package and the smaller endpoints: legacy completions, embeddings,
moderations, images, completions that were kept."""

from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from itertools import count
from typing import Any

import httpx
import numpy as np
import PIL.Image
import pytest
from openai import (
    BadRequestError,
    DefaultHttpxClient,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
)

from llmsim.engine.tokens import ranks

INSTRUCT = "gpt-3.5-turbo-instruct"
SMALL = "text-embedding-3-small"
TOKENS = ranks.encoding("cl100k_base").encode_ordinary
HI: Any = [{"role": "user", "content": "hi"}]

numbers = count()


@pytest.fixture(scope="module")
def lenient(server: str) -> OpenAI:
    """A client as programs have it: it decodes embeddings, and takes what is null for null."""
    return OpenAI(
        base_url=f"{server}/openai/v1",
        api_key="sk-test",
        max_retries=0,
        http_client=DefaultHttpxClient(trust_env=False),
    )


# --- legacy completions -------------------------------------------------------------------------


def test_a_completion(openai_client: OpenAI) -> None:
    answer = openai_client.completions.create(model=INSTRUCT, prompt="Say this", max_tokens=9)
    (choice,) = answer.choices
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 9)
    assert len(TOKENS(choice.text)) == 9
    assert (choice.finish_reason, choice.logprobs) == ("length", None)


def test_a_streamed_completion_says_the_same(lenient: OpenAI) -> None:
    asked: Any = {"model": INSTRUCT, "prompt": ["One", "Two"], "n": 2, "seed": 5, "echo": True}
    plain = lenient.completions.create(**asked)
    said = dict.fromkeys(range(4), "")
    chunks = list(
        lenient.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    assert len({chunk.id for chunk in chunks}) == 1
    for chunk in chunks:
        for choice in chunk.choices:
            said[choice.index] += choice.text
    assert said == {choice.index: choice.text for choice in plain.choices}
    assert [said[index][:3] for index in range(4)] == ["One", "One", "Two", "Two"]
    assert chunks[-1].usage == plain.usage


def test_a_completion_with_everything(openai_client: OpenAI) -> None:
    answer = openai_client.completions.create(
        model=INSTRUCT,
        prompt=[TOKENS("This is a test.")],
        best_of=0,
        echo=True,
        frequency_penalty=-2,
        logit_bias={"foo": 0},
        logprobs=0,
        max_tokens=16,
        n=1,
        presence_penalty=-2,
        seed=0,
        stop="\n",
        stream=False,
        stream_options={"include_obfuscation": True, "include_usage": True},
        suffix="test.",
        temperature=1,
        top_p=1,
        user="user-1234",
    )
    (choice,) = answer.choices
    assert choice.text.startswith("This is a test.")
    assert choice.logprobs is not None
    assert "".join(choice.logprobs.tokens or ()) == choice.text


# --- embeddings ---------------------------------------------------------------------------------


def test_embeddings_as_the_sdk_asks_for_them(lenient: OpenAI) -> None:
    texts = ["The quick brown fox", "The quick brown foxes", "Tax law"]
    answer = lenient.embeddings.create(model=SMALL, input=texts)
    assert answer.usage.prompt_tokens == sum(len(TOKENS(text)) for text in texts)
    one, like, other = (np.array(item.embedding) for item in answer.data)
    assert one.shape == (1536,)
    assert np.linalg.norm(one) == pytest.approx(1)
    assert one @ like > one @ other


def test_embeddings_as_floats(openai_client: OpenAI, lenient: OpenAI) -> None:
    floats = openai_client.embeddings.create(
        model=SMALL, input="x", encoding_format="float", dimensions=3, user="u"
    )
    decoded = lenient.embeddings.create(model=SMALL, input=[TOKENS("x")], dimensions=3)
    assert floats.data[0].embedding == pytest.approx(decoded.data[0].embedding)


@pytest.mark.parametrize("given", ["", [""], [], ["x"] * 2049])
def test_embeddings_that_are_refused(openai_client: OpenAI, given: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        openai_client.embeddings.create(model=SMALL, input=given)
    assert caught.value.param == "input"


# --- moderations --------------------------------------------------------------------------------


def test_moderations(openai_client: OpenAI) -> None:
    answer = openai_client.moderations.create(input=["I want to kill them.", "hello"])
    bad, good = answer.results
    assert (bad.flagged, bad.categories.violence) == (True, True)
    assert not good.flagged
    assert answer.model == "omni-moderation-latest"


def test_moderation_of_text_and_picture(openai_client: OpenAI) -> None:
    answer = openai_client.moderations.create(
        model="omni-moderation-latest",
        input=[
            {"type": "text", "text": "hello"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ],
    )
    (result,) = answer.results
    assert result.category_applied_input_types.violence == ["text", "image"]
    assert result.category_applied_input_types.hate == ["text"]


# --- images -------------------------------------------------------------------------------------


def opened(encoded: str | None) -> PIL.Image.Image:
    image = PIL.Image.open(BytesIO(b64decode(encoded or "")))
    image.load()
    return image


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_an_image_is_one(openai_client: OpenAI, form: Any) -> None:
    answer = openai_client.images.generate(
        prompt="A cute baby sea otter", size="96x64", quality="low", output_format=form
    )
    (one,) = answer.data or ()
    image = opened(one.b64_json)
    assert (image.format, image.size) == (form.upper(), (96, 64))
    assert (answer.output_format, answer.size, answer.quality) == (form, "96x64", "low")
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.text_tokens == answer.usage.input_tokens


def test_images_are_served_by_any_worker(openai_client: OpenAI, server: str) -> None:
    answer = openai_client.images.generate(
        prompt="x", model="gpt-image-2", n=2, response_format="url", size="64x64", quality="low"
    )
    urls = [one.url or "" for one in answer.data or ()]
    assert all(url.startswith(f"{server}/llmsim/images/") for url in urls)
    for url in urls:
        files = set()
        for _ in range(6):  # connections of their own: some are another worker's
            with httpx.Client(trust_env=False) as client:
                fetched = client.get(url)
            assert (fetched.status_code, fetched.headers["content-type"]) == (200, "image/png")
            files.add(fetched.content)
        assert len(files) == 1
    assert httpx.get(urls[0].replace("64x64", "65x64"), trust_env=False).status_code == 404


def test_a_streamed_image(openai_client: OpenAI) -> None:
    stream = openai_client.images.generate(
        prompt="x", stream=True, partial_images=2, size="64x64", quality="low"
    )
    events = list(stream)
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert [opened(event.b64_json).size for event in events] == [(64, 64)] * 3


def test_an_image_is_edited(openai_client: OpenAI) -> None:
    (first,) = openai_client.images.generate(prompt="x", size="64x64", quality="low").data or ()
    answer = openai_client.images.edit(
        image=("a.png", b64decode(first.b64_json or "")),
        mask=b"Example data",
        prompt="with a beret",
        background="transparent",
        size="64x64",
        quality="low",
    )
    (one,) = answer.data or ()
    assert opened(one.b64_json).mode == "RGBA"
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens == 255 + 765


def test_a_streamed_edit(openai_client: OpenAI) -> None:
    stream = openai_client.images.edit(
        image=[b"one", b"two"], prompt="x", stream=True, partial_images=1, size="64x64"
    )
    assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]


def test_an_image_is_varied(openai_client: OpenAI) -> None:
    create: Callable[..., Any] = openai_client.images.create_variation
    with pytest.deprecated_call():
        answer = create(image=b"Example data", n=2, size="64x64", model="dall-e-2")
    assert len({one.url for one in answer.data}) == 2


# --- completions that were kept -----------------------------------------------------------------


def test_a_kept_completion_lives_and_dies(openai_client: OpenAI) -> None:
    completions = openai_client.chat.completions
    mark = {"test": f"{next(numbers)}"}
    made = completions.create(model="gpt-4o", messages=HI, store=True, metadata=mark)
    kept = completions.retrieve(made.id)
    assert (kept.choices, kept.usage, kept.created) == (made.choices, made.usage, made.created)
    assert [one.id for one in completions.list(metadata=mark)] == [made.id]
    assert completions.update(made.id, metadata={"a": "b"}).id == made.id
    assert [one.id for one in completions.list(metadata=mark)] == []
    assert completions.delete(made.id).deleted
    for gone in (completions.retrieve, completions.delete):
        with pytest.raises(NotFoundError):
            gone(made.id)


def test_a_streamed_completion_is_kept_whole(lenient: OpenAI) -> None:
    completions = lenient.chat.completions
    with completions.create(model="gpt-4o", messages=HI, store=True, stream=True) as stream:
        chunks = list(stream)
    kept = completions.retrieve(chunks[0].id)
    said = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
    assert kept.choices[0].message.content == said
    (message,) = completions.messages.list(kept.id)
    assert (message.id, message.content) == (f"{kept.id}-0", "hi")


def test_lists_are_paged(openai_client: OpenAI) -> None:
    completions = openai_client.chat.completions
    mark = {"test": f"{next(numbers)}"}
    made = [
        completions.create(model="gpt-4o", messages=HI, store=True, metadata=mark).id
        for _ in range(5)
    ]
    pages = completions.list(metadata=mark, limit=2)
    assert [one.id for one in pages] == made
    assert [one.id for one in completions.list(metadata=mark, limit=2, order="desc")] == made[::-1]


def test_what_was_not_to_be_kept_is_not(openai_client: OpenAI) -> None:
    made = openai_client.chat.completions.create(model="gpt-4o", messages=HI)
    with pytest.raises(NotFoundError) as caught:
        openai_client.chat.completions.retrieve(made.id)
    assert caught.value.type == "invalid_request_error"


def test_fine_tuned_models_can_be_deleted(openai_client: OpenAI) -> None:
    name = "ft:gpt-4o-mini:acemeco:suffix:abc123"
    deleted = openai_client.models.delete(name)
    assert (deleted.id, deleted.deleted) == (name, True)
    with pytest.raises(PermissionDeniedError):
        openai_client.models.delete("gpt-4o")
    with pytest.raises(NotFoundError):
        openai_client.models.delete("nobody-knows")
