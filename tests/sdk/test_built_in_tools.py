"""Calls of the tools that providers define are as the SDKs type them, whole and in a stream, and
llmsim's own answers may be sent back to it."""

from typing import Any

import orjson
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from google.genai import types
from openai.types.chat import ChatCompletion
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from llmsim import plan

ASKED = "What is new about trains, as https://example.org/trains says?"
RESPONSES: Any = TypeAdapter(ResponseStreamEvent)
MESSAGES: Any = TypeAdapter(RawMessageStreamEvent)
Json = dict[str, Any]


def frames(body: Json, dialect: str) -> bytes:
    made = plan(body, dialect=dialect, seed=5, config={"validation": "strict"})
    answer = b"".join(map(bytes, made.frames))
    assert made.status == 200, answer
    return answer


def answer(body: Json, dialect: str) -> Json:
    whole: Json = orjson.loads(frames(body, dialect))
    return whole


def events(body: Json, dialect: str) -> list[Json]:
    lines = frames({**body, "stream": True}, dialect).splitlines()
    return [orjson.loads(line[6:]) for line in lines if line.startswith(b"data: {")]


def kinds(listed: list[Json], *but: str) -> list[str]:
    """The types in a row, each run of them once."""
    made: list[str] = []
    for one in listed:
        if one["type"] not in (*but, *made[-1:]):
            made.append(one["type"])
    return made


INCLUDED = [
    "web_search_call.action.sources",
    "file_search_call.results",
    "code_interpreter_call.outputs",
]
LOCAL = {"type": "local"}
MCP = {"type": "mcp", "server_label": "deep", "server_url": "https://example.org"}
SCREEN = {"type": "computer_use_preview", "display_width": 9, "display_height": 9}
PATCHED = {"status": "completed", "output": "done"}
SHOT = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"}
RAN = {"stdout": "x", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}

OPENAI: list[tuple[Json, list[str], Json | None]] = [
    ({"type": "web_search"}, ["web_search_call", "message"], None),
    ({"type": "web_search_preview"}, ["web_search_call", "message"], None),
    (
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        ["file_search_call", "message"],
        None,
    ),
    (
        {"type": "code_interpreter", "container": {"type": "auto"}},
        ["code_interpreter_call", "message"],
        None,
    ),
    (
        {"type": "image_generation", "size": "64x32", "partial_images": 1},
        ["image_generation_call", "message"],
        None,
    ),
    ({**MCP, "require_approval": "never"}, ["mcp_list_tools", "mcp_call", "message"], None),
    (MCP, ["mcp_approval_request"], {"type": "mcp_approval_response", "approve": True}),
    ({"type": "computer"}, ["computer_call"], {"output": SHOT}),
    ({**SCREEN, "environment": "linux"}, ["computer_call"], {"output": SHOT}),
    ({"type": "local_shell"}, ["local_shell_call"], {"output": "x"}),
    ({"type": "shell", "environment": LOCAL}, ["shell_call"], {"output": [RAN]}),
    ({"type": "apply_patch"}, ["apply_patch_call"], PATCHED),
]


@pytest.mark.parametrize(("tool", "expected", "output"), OPENAI)
def test_responses(tool: Json, expected: list[str], output: Json | None) -> None:
    body: Json = {"model": "gpt-4o", "input": ASKED, "tools": [tool], "include": INCLUDED}
    body |= {"tool_choice": "required"}
    whole = answer(body, "openai_responses")
    Response.model_validate(whole)
    assert [item["type"] for item in whole["output"]] == expected
    streamed = events(body, "openai_responses")
    for event in streamed:
        RESPONSES.validate_python(event)
    assert [event["sequence_number"] for event in streamed] == list(range(len(streamed)))
    assert streamed[-1]["response"]["output"] == whole["output"]
    done = [one["item"] for one in streamed if one["type"] == "response.output_item.done"]
    assert done == whole["output"]

    history: list[Json] = [{"role": "user", "content": ASKED}, *whole["output"]]
    if output is None:
        history.append({"role": "user", "content": "And?"})
    else:
        history += [_answered(item, output) for item in whole["output"]]
    again = answer({**body, "input": history, "tool_choice": "auto"}, "openai_responses")
    assert again["output"][-1]["type"] == "message"


def _answered(item: Json, output: Json) -> Json:
    if item["type"] == "mcp_approval_request":
        return {**output, "approval_request_id": item["id"]}
    if item["type"] == "local_shell_call":
        return {"type": "local_shell_call_output", "id": item["call_id"], **output}
    return {"type": f"{item['type']}_output", "call_id": item["call_id"], **output}


EVENTS = {
    "web_search": ["in_progress", "searching", "completed"],
    "code_interpreter": ["in_progress", "code.delta", "code.done", "interpreting", "completed"],
    "image_generation": ["in_progress", "generating", "partial_image", "completed"],
    "shell": ["command.added", "command.delta", "command.done"],
}


@pytest.mark.parametrize("kind", EVENTS)
def test_events_of_responses_come_in_their_order(kind: str) -> None:
    tool = next(tool for tool, _, _ in OPENAI if tool["type"] == kind)
    body = {"model": "gpt-4o", "input": ASKED, "tools": [tool], "tool_choice": {"type": kind}}
    listed = kinds(events(body, "openai_responses"))
    first = listed.index("response.output_item.added")
    prefix = f"response.{kind}_call"
    own = [one.removeprefix(prefix).lstrip("._") for one in listed[first + 1 :] if prefix in one]
    assert own == EVENTS[kind]
    assert listed[first + len(own) + 1] == "response.output_item.done"


def test_responses_cite_what_was_found() -> None:
    body = {"model": "gpt-4o", "input": ASKED, "tools": [{"type": "web_search"}]}
    message = answer(body, "openai_responses")["output"][-1]
    text, cited = message["content"][0]["text"], message["content"][0]["annotations"]
    assert [one["type"] for one in cited] == ["url_citation"] * 3
    assert all(text[one["start_index"] : one["end_index"]].endswith(".") for one in cited)
    added = [
        event["annotation"]
        for event in events(body, "openai_responses")
        if event["type"] == "response.output_text.annotation.added"
    ]
    assert added == cited


def test_a_shell_in_a_container_is_not_called() -> None:
    tool = {"type": "shell", "environment": {"type": "container_auto"}}
    body = {"model": "gpt-4o", "input": ASKED, "tools": [tool]}
    assert [one["type"] for one in answer(body, "openai_responses")["output"]] == ["message"]


def test_a_mocked_call_is_valid_whatever_its_arguments() -> None:
    mock = {"response": {"tool_calls": [{"name": "shell", "arguments": "rm"}]}}
    body = {"model": "gpt-4o", "input": ASKED, "tools": [{"type": "shell"}]}
    made = plan(body, dialect="openai_responses", config={"mocks": [mock]})
    whole = orjson.loads(bytes(made.frames[0]))
    Response.model_validate(whole)
    assert whole["output"][0]["type"] == "shell_call"


def test_a_mock_searches_what_it_says() -> None:
    called = {"name": "web_search", "arguments": {"query": "old trains"}}
    mock = {"response": {"tool_calls": [called], "content": "They are old. And slow."}}
    body = {"model": "gpt-4o", "input": ASKED, "tools": [{"type": "web_search"}]}
    made = plan(body, dialect="openai_responses", config={"mocks": [mock]})
    call, message = orjson.loads(bytes(made.frames[0]))["output"]
    assert call["action"]["query"] == "old trains"
    assert len(message["content"][0]["annotations"]) == 2


ANTHROPIC = [
    ("web_search_20250305", "web_search", ["server_tool_use", "web_search_tool_result", "text"]),
    ("web_fetch_20250910", "web_fetch", ["server_tool_use", "web_fetch_tool_result", "text"]),
    (
        "code_execution_20250522",
        "code_execution",
        ["server_tool_use", "code_execution_tool_result", "text"],
    ),
    (
        "code_execution_20250825",
        "code_execution",
        ["server_tool_use", "bash_code_execution_tool_result", "text"],
    ),
    ("bash_20250124", "bash", ["tool_use"]),
    ("text_editor_20250728", "str_replace_based_edit_tool", ["tool_use"]),
    ("memory_20250818", "memory", ["tool_use"]),
    ("computer_toolset_20260801", None, ["tool_use"]),
    ("browser_toolset_20260801", None, ["tool_use"]),
]


@pytest.mark.parametrize(("kind", "name", "expected"), ANTHROPIC)
def test_messages(kind: str, name: str | None, expected: list[str]) -> None:
    tool = {"type": kind} if name is None else {"type": kind, "name": name}
    body: Json = {"model": "claude-sonnet-4-5", "max_tokens": 400, "tools": [tool]}
    body |= {
        "messages": [{"role": "user", "content": ASKED}],
        "tool_choice": {"type": "any"} if name is None else {"type": "tool", "name": name},
    }
    whole = answer(body, "anthropic")
    message = Message.model_validate(whole)
    assert [block.type for block in message.content] == expected
    streamed = [one for one in events(body, "anthropic") if one["type"] != "ping"]
    for event in streamed:
        MESSAGES.validate_python(event)
    started = [one for one in streamed if one["type"] == "content_block_start"]
    assert [one["content_block"]["type"] for one in started] == expected
    assert [one["index"] for one in started] == list(range(len(expected)))
    usage = next(one["usage"] for one in streamed if one["type"] == "message_delta")
    assert usage.get("server_tool_use") == whole["usage"].get("server_tool_use")

    then: Any = "And?"
    if message.stop_reason == "tool_use":
        called = [block.id for block in message.content if block.type == "tool_use"]
        then = [{"type": "tool_result", "tool_use_id": one, "content": "x"} for one in called]
    history = [
        *body["messages"],
        {"role": "assistant", "content": whole["content"]},
        {"role": "user", "content": then},
    ]
    again = answer({**body, "messages": history, "tool_choice": {"type": "auto"}}, "anthropic")
    assert again["content"][-1]["type"] == "text"


def test_messages_cite_and_count_searches() -> None:
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 400,
        "messages": [{"role": "user", "content": ASKED}],
        "tools": [{"type": "web_search_20250305", "name": "web_search"}],
    }
    whole = answer(body, "anthropic")
    _, found, text = whole["content"]
    urls = [one["url"] for one in found["content"]]
    assert [one["url"] for one in text["citations"]] == urls
    assert whole["usage"]["server_tool_use"]["web_search_requests"] == 1
    deltas = [one["delta"] for one in events(body, "anthropic") if "delta" in one]
    cited = [one["citation"] for one in deltas if one.get("type") == "citations_delta"]
    assert cited == text["citations"]


GEMINI = [
    ({"googleSearch": {}}, "groundingMetadata", ["text"]),
    ({"urlContext": {}}, "urlContextMetadata", ["text"]),
    ({"fileSearch": {"fileSearchStoreNames": ["a"]}}, "groundingMetadata", ["text"]),
    ({"codeExecution": {}}, None, ["executableCode", "codeExecutionResult", "text"]),
]


@pytest.mark.parametrize(("tool", "member", "expected"), GEMINI)
def test_generate(tool: Json, member: str | None, expected: list[str]) -> None:
    user = {"role": "user", "parts": [{"text": ASKED}]}
    body: Json = {"model": "gemini-2.5-flash", "contents": [user], "tools": [tool]}
    whole = answer(body, "gemini")
    types.GenerateContentResponse.model_validate(whole)
    candidate = whole["candidates"][0]
    assert [next(iter(part)) for part in candidate["content"]["parts"]] == expected
    chunks = events(body, "gemini")
    for chunk in chunks:
        types.GenerateContentResponse.model_validate(chunk)
    if member is not None:
        assert chunks[-1]["candidates"][0][member] == candidate[member]
        assert all(member not in chunk["candidates"][0] for chunk in chunks[:-1])
    again = answer({**body, "contents": [user, candidate["content"], user]}, "gemini")
    assert again["candidates"][0]["finishReason"] == "STOP"


def test_grounding_is_counted_in_bytes() -> None:
    mock = {
        "response": {
            "tool_calls": [{"name": "google_search", "arguments": {"query": "ü"}}],
            "content": "Grüße. Bis bald.",
        }
    }
    body = {
        "model": "gemini-2.5-flash",
        "contents": [{"parts": [{"text": ASKED}]}],
        "tools": [{"googleSearch": {}}],
    }
    made = plan(body, dialect="gemini", config={"mocks": [mock]})
    grounding = orjson.loads(bytes(made.frames[0]))["candidates"][0]["groundingMetadata"]
    segments = [one["segment"] for one in grounding["groundingSupports"]]
    assert segments[1] == {"startIndex": 9, "endIndex": 18, "text": "Bis bald."}


def test_what_a_tool_gave_counts_as_prompt_of_its_own() -> None:
    body = {
        "model": "gemini-2.5-flash",
        "contents": [{"parts": [{"text": ASKED}]}],
        "tools": [{"urlContext": {}}],
    }
    used = answer(body, "gemini")["usageMetadata"]
    parts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    total = sum(used[one] for one in parts) + used["toolUsePromptTokenCount"]
    assert used["toolUsePromptTokenCount"] > 0
    assert total == used["totalTokenCount"]


def test_chat_cites_what_was_searched() -> None:
    body = {
        "model": "gpt-4o-search-preview",
        "messages": [{"role": "user", "content": ASKED}],
        "web_search_options": {},
    }
    whole = answer(body, "openai_chat")
    ChatCompletion.model_validate(whole)
    cited = whole["choices"][0]["message"]["annotations"]
    assert len(cited) == 3
    streamed = [event["choices"][0]["delta"] for event in events(body, "openai_chat")]
    assert [one["annotations"] for one in streamed if "annotations" in one] == [cited]


@pytest.mark.parametrize(
    ("dialect", "tool", "called"),
    [
        ("openai_responses", {"type": "web_search"}, ["web_search_call", "function_call"]),
        (
            "anthropic",
            {"type": "web_search_20250305", "name": "web_search"},
            ["server_tool_use", "web_search_tool_result", "tool_use"],
        ),
    ],
)
def test_the_provider_runs_its_tools_before_the_client_its_own(
    dialect: str, tool: Json, called: list[str]
) -> None:
    own: Json = {"name": "now", "input_schema": {"type": "object"}}
    body: Json = {"model": "claude-sonnet-4-5", "max_tokens": 400}
    body["messages"] = [{"role": "user", "content": ASKED}]
    if dialect == "openai_responses":
        own = {"type": "function", "name": "now", "parameters": {}}
        body = {"model": "gpt-4o", "input": ASKED}
    whole = answer({**body, "tools": [own, tool]}, dialect)
    listed = whole["output"] if dialect == "openai_responses" else whole["content"]
    assert [one["type"] for one in listed] == called
