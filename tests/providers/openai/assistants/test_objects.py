"""Assistants, threads and messages as they are made and updated."""

from itertools import count
from typing import Any

import pytest
from openai._models import validate_type
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import Message

from llmsim.providers.openai.assistants import objects

TOKEN = "0123456789abcdef01234567"


def test_an_update_replaces_what_it_has_and_nothing_else() -> None:
    made = objects.assistant({"model": "gpt-4o", "name": "a", "x": 1}, TOKEN, 7)
    validate_type(type_=Assistant, value=made)
    assert (made["id"], made["created_at"], "x" in made) == (f"asst_{TOKEN}", 7, False)
    changed = objects.updated_assistant(made, {"name": None, "temperature": None, "top_p": 0.5})
    assert changed == {**made, "name": None, "top_p": 0.5}
    assert objects.updated_assistant(made, {}) == made


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (None, {}),
        ({}, {}),
        ({"code_interpreter": {"file_ids": ["f"]}}, {"code_interpreter": {"file_ids": ["f"]}}),
        (
            {"file_search": {"vector_store_ids": ["vs_1"]}, "code_interpreter": None},
            {"file_search": {"vector_store_ids": ["vs_1"]}},
        ),
    ],
)
def test_resources_are_kept_as_they_were_sent(sent: Any, shown: Any) -> None:
    made = objects.thread({"tool_resources": sent}, TOKEN, 7)
    validate_type(type_=Thread, value=made)
    assert made["tool_resources"] == shown


def test_new_vector_stores_have_ids() -> None:
    stores = {"vector_store_ids": ["vs_1"], "vector_stores": [{"file_ids": ["f"]}, {}]}
    made = objects.resources({"file_search": stores}, f"asst_{TOKEN}")
    first, second, third = made["file_search"]["vector_store_ids"]
    assert first == "vs_1"
    assert len({first, second, third}) == 3
    assert second.startswith("vs_")


def test_messages_show_their_content_in_parts() -> None:
    numbers = count()
    image = {"type": "image_url", "image_url": {"url": "http://x"}}
    listed: Any = [
        {"role": "user", "content": "hi", "metadata": {"a": "b"}},
        {"role": "assistant", "content": [{"type": "text", "text": "hello"}, image]},
    ]
    made = objects.messages(listed, "thread_1", lambda: f"{next(numbers):024}", 7)
    for one in made:
        validate_type(type_=Message, value=one)
    assert made[0]["content"] == [{"type": "text", "text": {"value": "hi", "annotations": []}}]
    assert made[1]["content"][1]["image_url"] == {"url": "http://x", "detail": "auto"}
    assert made[0]["metadata"] == {"a": "b"}
    assert len({one["id"] for one in made}) == 2
