"""Moderations on the wire: every category in every map, and inputs of all kinds."""

from typing import Any

import orjson
import pytest
from openai.types import ModerationCreateResponse

from llmsim.core import Choice, Completion, Finish, Moderate, Stamp, Usage, Verdicts
from llmsim.core.errors import BadRequest
from llmsim.engine.tasks.moderations import WORDS, verdict
from llmsim.providers.openai.moderations import WITH_IMAGES, OpenAIModerations

MODERATIONS = OpenAIModerations()
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
TEXT = {"type": "text", "text": "I want to kill them."}


def answered(texts: Any, **fields: Any) -> Any:
    request = MODERATIONS.decode(orjson.dumps({"input": texts, **fields}))
    made = Verdicts(tuple(map(verdict, request.messages)))
    completion = Completion((Choice((), 0, Finish.STOP),), Usage(6, 0), made)
    answer = MODERATIONS.plain(request, completion, STAMP)
    ModerationCreateResponse.model_validate_json(answer, strict=True)
    return orjson.loads(answer)


def test_an_answer_names_every_category_in_every_map() -> None:
    answer = answered("I want to kill them.")
    assert (answer["id"], answer["model"]) == ("modr-" + STAMP.mark, "omni-moderation-latest")
    (result,) = answer["results"]
    assert result["flagged"] is True
    for key in ("categories", "category_scores", "category_applied_input_types"):
        assert list(result[key]) == list(WORDS)
    flagged = [name for name, one in result["categories"].items() if one]
    assert flagged == ["harassment", "harassment/threatening", "violence"]


@pytest.mark.parametrize(
    ("texts", "flagged"),
    [
        ("hello", [False]),
        (["hello", "murder"], [False, True]),
        ([TEXT, IMAGE], [True]),
        ([IMAGE], [False]),
    ],
)
def test_strings_have_a_result_each_and_parts_one_together(texts: Any, flagged: list[bool]) -> None:
    assert [result["flagged"] for result in answered(texts)["results"]] == flagged


@pytest.mark.parametrize(
    ("texts", "seen", "others"),
    [
        ("hello", ["text"], ["text"]),
        ("", ["text"], ["text"]),
        ([TEXT, IMAGE], ["text", "image"], ["text"]),
        ([IMAGE], ["image"], []),
    ],
)
def test_pictures_are_judged_by_some_categories(
    texts: Any, seen: list[str], others: list[str]
) -> None:
    applied = answered(texts)["results"][0]["category_applied_input_types"]
    assert {name: seen if name in WITH_IMAGES else others for name in WORDS} == applied


def test_the_model_that_was_asked_for_answers() -> None:
    answer = answered("x", model="text-moderation-stable")
    assert answer["model"] == "text-moderation-stable"


def test_another_picture_has_other_scores() -> None:
    other = {"type": "image_url", "image_url": {"url": "https://example.com/b.png"}}
    one, two = (answered([image])["results"][0]["category_scores"] for image in (IMAGE, other))
    assert one != two


@pytest.mark.parametrize(
    "body",
    [{}, {"input": []}, {"input": ["a", IMAGE]}, {"input": 5}, {"input": [{"type": "audio"}]}],
)
def test_other_inputs_are_refused(body: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        MODERATIONS.decode(orjson.dumps(body))
    assert (caught.value.failure.param or "").startswith("input")


def test_what_is_asked_is_a_task() -> None:
    assert MODERATIONS.decode(b'{"input":"x"}').task == Moderate()
