"""A run as a request in neutral terms."""

from typing import Any

import orjson
import pytest
from msgspec import structs

from llmsim.core import Request
from llmsim.core.errors import BadRequest
from llmsim.providers.openai.assistants import conversion, objects, params, runs

F: Any = {"type": "function", "function": {"name": "f"}}
G: Any = {"type": "function", "function": {"name": "g"}}
CODE: Any = {"type": "code_interpreter"}
SEARCH: Any = {"type": "file_search"}


def new(assistant: dict[str, Any] | None = None, **members: Any) -> runs.RunRecord:
    made = objects.assistant({"model": "gpt-4o", **(assistant or {})}, "0" * 24, 1)
    sent, raw = params.run_params(orjson.dumps({"assistant_id": made["id"], **members}))
    return conversion.new_run(sent, raw, made, "thread_1", 60.0)


def asked(run: runs.RunRecord, *texts: str) -> Request:
    listed: Any = [{"role": "user", "content": text} for text in texts]
    return conversion.request(run, objects.messages(listed, "t", lambda: "1", 1), False)


def went_on(run: runs.RunRecord) -> runs.RunRecord:
    """The run once it has called ``f`` and got an output."""
    called: Any = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    step = runs.RunStepRecord("s", 0, None, calls=(called,))
    usage = runs.RunUsage(10, 20)
    stretch = runs.RunStretch(0, 0, 0, "requires_action", (step,), usage)
    return structs.replace(run, stretches=(stretch,), outputs={"c": "sunny"})


def test_what_a_run_says_counts_over_its_assistant() -> None:
    run = new({"instructions": "A", "temperature": 0.5}, model="gpt-5", additional_instructions="B")
    assert (run.echo["model"], run.echo["temperature"]) == ("gpt-5", 0.5)
    assert run.echo["instructions"] == "A\nB"
    assert new({"instructions": "A"}, instructions="").echo["instructions"] == ""
    request = asked(run, "hi")
    assert request.model == "gpt-5"
    assert [(one.role, one.text) for one in request.messages] == [
        ("system", "A\nB"),
        ("user", "hi"),
    ]
    assert [one.role for one in asked(new()).messages] == ["user"], "never empty"


@pytest.mark.parametrize(
    ("tools", "choice", "mode", "names", "built_in"),
    [
        ([], None, "auto", (), ()),
        ([F], None, "auto", (), ()),
        ([F], "required", "required", (), ()),
        ([F], "none", "none", (), ()),
        ([F, G], {"type": "function", "function": {"name": "g"}}, "required", ("g",), ()),
        ([F, CODE, CODE], None, "auto", (), ("code_interpreter",)),
        ([SEARCH, CODE], None, "auto", (), ("file_search", "code_interpreter")),
        ([SEARCH, CODE], {"type": "file_search"}, "none", (), ("file_search",)),
        ([F, CODE], {"type": "function", "function": {"name": "f"}}, "required", ("f",), ()),
        ([CODE], "none", "none", (), ()),
    ],
)
def test_tools(tools: Any, choice: Any, mode: str, names: Any, built_in: Any) -> None:
    request = asked(new({"tools": tools}, tool_choice=choice))
    assert (request.choice.mode, request.choice.names) == (mode, names)
    assert request.wire.built_in == built_in
    assert [tool.name for tool in request.tools] == [
        tool["function"]["name"] for tool in tools if tool["type"] == "function"
    ]


def test_a_tool_that_is_not_offered() -> None:
    with pytest.raises(BadRequest, match="no tool named 'x'"):
        asked(new({"tools": [F]}, tool_choice={"type": "function", "function": {"name": "x"}}))


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "f"}}])
def test_what_must_be_called_is_called_once(choice: Any) -> None:
    run = went_on(new({"tools": [F, CODE]}, tool_choice=choice, max_completion_tokens=50))
    request = asked(run, "hi")
    assert request.choice.mode == "auto"
    assert request.wire.built_in == ()
    assert request.max_tokens == 30
    call, output = request.messages[-2:]
    assert [one.name for one in call.calls] == ["f"]
    assert (output.role, output.text, output.answers) == ("tool", "sunny", "c")


def test_form_and_effort() -> None:
    schema = {"name": "s", "schema": {"type": "object"}}
    request = asked(new(response_format={"type": "json_schema", "json_schema": schema}))
    assert request.format is not None
    assert request.format.schema == {"type": "object"}
    assert asked(new()).format is None
    assert asked(new({"response_format": {"type": "json_object"}})).format is not None
    thinking = asked(new({"reasoning_effort": "high"})).thinking
    assert thinking is not None
    assert thinking.effort == "high"


def test_only_the_latest_messages() -> None:
    run = new(truncation_strategy={"type": "last_messages", "last_messages": 2})
    for one in (run, went_on(run)):
        texts = [m.text for m in asked(one, "a", "b", "c").messages if m.role == "user"]
        assert texts == ["b", "c"]
