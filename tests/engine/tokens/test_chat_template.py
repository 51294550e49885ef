"""Conversations as token ids, which are as many as the prompt is counted."""

import pytest

from llmsim.core import Message, Request, ToolCall
from llmsim.engine.tokens import chat_template, prompt
from llmsim.engine.tokens.ranks import NAMES
from llmsim.engine.tokens.tokenizer import tokenizer


@pytest.mark.parametrize("encoding", NAMES)
@pytest.mark.parametrize(
    "messages",
    [
        (),
        (Message("system", "Be brief."), Message("user", "Hello, wörld 🦙!")),
        (Message("user", "Hi", "ann"), Message("assistant", "")),
        (Message("assistant", "", calls=(ToolCall("1", "get_weather", '{"city":"Kyiv"}'),)),),
    ],
    ids=["none", "two", "named", "calls"],
)
def test_tokens_are_as_many_as_are_counted(encoding: str, messages: tuple[Message, ...]) -> None:
    tokens = tokenizer(encoding)
    ids = chat_template.rendered(messages, tokens)
    assert len(ids) == prompt.tokens(Request("m", messages), tokens)
    assert chat_template.text(ids, tokens).endswith("<|im_start|>assistant<|im_sep|>")
    assert len(chat_template.texts(ids, tokens)) == len(ids)
