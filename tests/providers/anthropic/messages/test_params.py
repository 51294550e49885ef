"""Anthropic's requests in neutral terms, and the errors of the ones that are wrong."""

from base64 import b64encode
from typing import Any

import orjson
import pytest

from llmsim.core import (
    AUTO,
    Breakpoint,
    Count,
    Format,
    Image,
    Message,
    Request,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
)
from llmsim.core.errors import BadRequest, FailureKind
from llmsim.providers.anthropic.messages.params import read, read_prompt

HI = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "how it is", "input_schema": SCHEMA}
CACHED = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
GONE: Any = object()


def body(**fields: Any) -> bytes:
    fields_sent = {"model": "claude-haiku-4-5", "max_tokens": 2048, "messages": HI, **fields}
    return orjson.dumps({key: value for key, value in fields_sent.items() if value is not GONE})


def asked(**fields: Any) -> Request:
    return read(body(**fields))


def user(*blocks: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(blocks)}]


def text(said: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **fields}


def refused(**fields: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        read(body(**fields), strict=True)
    assert caught.value.failure.kind is FailureKind.INVALID
    return caught.value.failure.message


def test_a_plain_request() -> None:
    request = asked(stop_sequences=["END"], stream=True, temperature=0.5, top_k=3)
    assert (request.model, request.max_tokens, request.stream) == ("claude-haiku-4-5", 2048, True)
    assert request.messages == (Message("user", "hi"),)
    assert (request.stop, request.n, request.breakpoints) == (("END",), 1, ())
    assert (request.tools, request.choice, request.thinking, request.format) == (
        (),
        AUTO,
        None,
        None,
    )


def test_what_is_not_known_is_ignored() -> None:
    fields = {"context_management": {"edits": []}, "metadata": {"user_id": "x", "more": 1}}
    assert asked(**fields).messages == asked().messages


@pytest.mark.parametrize("system", ["Be brief.", [text("Be "), text("brief.")]])
def test_the_system_prompt_comes_first(system: Any) -> None:
    request = asked(system=system)
    assert request.messages == (Message("system", "Be brief."), Message("user", "hi"))


def test_text_blocks_are_one_text() -> None:
    (message,) = asked(messages=user(text("one "), text("two"))).messages
    assert message.text == "one two"


def test_a_system_message_may_come_later() -> None:
    request = asked(messages=[*HI, {"role": "system", "content": "now"}])
    assert [message.role for message in request.messages] == ["user", "system"]


# --- pictures and documents -----------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")


def base64(data: bytes, kind: str) -> dict[str, Any]:
    return {"type": "base64", "media_type": kind, "data": b64encode(data).decode()}


@pytest.mark.parametrize(
    ("source", "image"),
    [
        (base64(PNG, "image/png"), Image("auto", 640, 480, "area")),
        (base64(b"what", "image/png"), Image("auto", 0, 0, "area")),
        ({"type": "url", "url": "https://example.com/a.png"}, Image("auto", 0, 0, "area")),
        ({"type": "file", "file_id": "file_1"}, Image("auto", 0, 0, "area")),
    ],
)
def test_pictures(source: dict[str, Any], image: Image) -> None:
    (message,) = asked(messages=user({"type": "image", "source": source}, text("see"))).messages
    assert (message.text, message.images, message.extra) == ("see", (image,), 0)
    assert message.mark


@pytest.mark.parametrize(
    ("source", "said", "extra"),
    [
        ({"type": "text", "media_type": "text/plain", "data": "long story"}, "long story", 0),
        ({"type": "content", "content": "long story"}, "long story", 0),
        ({"type": "content", "content": [text("long "), text("story")]}, "long story", 0),
        (base64(b"%PDF", "application/pdf"), "", 1500),
        (base64(b"%PDF" * 60_000, "application/pdf"), "", 6666),
        ({"type": "url", "url": "https://example.com/a.pdf"}, "", 1500),
        ({"type": "file", "file_id": "file_1"}, "", 1500),
    ],
)
def test_documents_count(source: dict[str, Any], said: str, extra: int) -> None:
    block = {"type": "document", "source": source, "title": "T. ", "context": "C. "}
    (message,) = asked(messages=user(block)).messages
    assert (message.text, message.extra) == (f"T. C. {said}", extra)


def test_files_are_distinguished() -> None:
    def marked(name: str) -> int:
        source = {"type": "file", "file_id": name}
        return asked(messages=user({"type": "document", "source": source})).messages[0].mark

    assert marked("file_1") == marked("file_1") != marked("file_2")


def test_search_results_are_text() -> None:
    block = {"type": "search_result", "source": "s", "title": "t", "content": [text("found")]}
    assert asked(messages=user(block)).messages[0].text == "tsfound"


# --- tools ------------------------------------------------------------------------------------


def test_tools_on_offer() -> None:
    request = asked(tools=[WEATHER, {"name": "now", "type": "custom", "input_schema": SCHEMA}])
    assert request.tools == (Tool("get_weather", "how it is", SCHEMA), Tool("now", "", SCHEMA))


def test_a_property_described_by_no_schema_may_be_anything() -> None:
    properties = {"place": "bar", "unit": {"type": "string"}, "note": True}
    schema = {"type": "object", "properties": properties, "required": ["place"]}
    (tool,) = asked(tools=[{"name": "now", "input_schema": schema}]).tools
    assert tool.schema == {**schema, "properties": {**properties, "place": True}}


@pytest.mark.parametrize(
    ("kind", "hosted"),
    [
        ("bash_20250124", None),
        ("text_editor_20250728", None),
        ("memory_20250818", None),
        ("computer_20250124", None),
        ("web_search_20250305", "web_search"),
        ("web_fetch_20260318", "web_fetch"),
        ("code_execution_20260521", "code"),
    ],
)
def test_the_service_runs_some_of_the_tools_that_it_defines(kind: str, hosted: str | None) -> None:
    (tool,) = asked(tools=[{"type": kind, "name": "it"}]).tools
    assert (tool.name, tool.hosted) == ("it", hosted)
    assert tool.schema


@pytest.mark.parametrize("kind", ["tool_search_tool_bm25_20251119", "advisor_20260301"])
def test_what_is_not_simulated_is_never_called(kind: str) -> None:
    assert asked(tools=[{"type": kind, "name": "it"}]).tools == ()


@pytest.mark.parametrize(
    ("fields_sent", "choice"),
    [
        (GONE, AUTO),
        ({"type": "auto"}, AUTO),
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice("auto", (), False)),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required", (), False)),
        ({"type": "tool", "name": "get_weather"}, ToolChoice("required", ("get_weather",))),
        ({"type": "none"}, ToolChoice("none")),
    ],
)
def test_tool_choices(fields_sent: Any, choice: ToolChoice) -> None:
    assert asked(tools=[WEATHER], tool_choice=fields_sent).choice == choice


def use(name: str, **fields_sent: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": name, "name": "get_weather", "input": fields_sent}


def result(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": name, **fields}


def loop(*results: Any) -> list[dict[str, Any]]:
    calls = [text("I look."), use("a", city="Paris"), use("b")]
    return [*HI, {"role": "assistant", "content": calls}, *user(*results)]


def test_calls_and_results() -> None:
    messages = loop(result("b", content=[text("sun"), text("ny")]), result("a", content="rain"))
    assert asked(messages=messages).messages[1:] == (
        Message(
            "assistant",
            "I look.",
            calls=(
                ToolCall("a", "get_weather", '{"city":"Paris"}'),
                ToolCall("b", "get_weather", "{}"),
            ),
        ),
        Message("tool", "sunny", answers="b"),
        Message("tool", "rain", answers="a"),
    )


def test_words_beside_results_are_a_message_of_their_own() -> None:
    messages = loop(result("a"), result("b", is_error=True), text("And now?"))
    read_messages = asked(messages=messages).messages
    assert [message.role for message in read_messages[2:]] == ["tool", "tool", "user"]
    assert read_messages[-1].text == "And now?"


def test_thoughts_of_earlier_turns_do_not_count() -> None:
    thought = {"type": "thinking", "thinking": "hm " * 50, "signature": "x"}
    redacted = {"type": "redacted_thinking", "data": "x"}
    spoke = {"role": "assistant", "content": [thought, redacted, text("ok")]}
    assert asked(messages=[*HI, spoke, *HI]).messages[1] == Message("assistant", "ok")


def test_what_ran_at_the_service_counts() -> None:
    asking = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "u" * 40}]}
    spoke = {"role": "assistant", "content": [asking, found, text("ok")]}
    message = asked(messages=[*HI, spoke, *HI]).messages[1]
    assert message.text == "ok"
    assert message.extra > 10


@pytest.mark.parametrize(
    ("block", "said", "extra"),
    [
        (
            {
                "type": "mcp_tool_use",
                "id": "m",
                "name": "find",
                "server_name": "s",
                "input": {"q": 1},
            },
            "",
            True,
        ),
        (
            {"type": "mcp_tool_result", "tool_use_id": "m", "content": [text("found it")]},
            "",
            True,
        ),
        ({"type": "advisor_tool_result", "tool_use_id": "a", "content": {"text": "x"}}, "", True),
        ({"type": "compaction", "content": "all before"}, "all before", False),
        ({"type": "compaction", "content": None}, "", False),
        ({"type": "tool_addition", "tool": {}}, "", False),
        ({"type": "tool_removal", "tool": {}}, "", False),
        ({"type": "mcp_tool_listing", "tools": []}, "", False),
        ({"type": "fallback"}, "", False),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else None,
)
def test_blocks_of_the_beta_api(block: dict[str, Any], said: str, extra: bool) -> None:
    spoke = {"role": "assistant", "content": [block, text("!")]}
    message = read(body(messages=[*HI, spoke, *HI]), strict=True).messages[1]
    assert message.text == f"{said}!"
    assert (message.extra > 0) is extra


def test_a_browsers_state_is_no_part_of_a_tools_result() -> None:
    seen = [{"type": "browser_state", "url": "u"}, text("ok")]
    said = loop(result("b"), result("a", content=seen))
    assert asked(messages=said).messages[-1].text == "ok"


# --- thinking and form ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        ({"type": "enabled", "budget_tokens": 1024}, Thinking(None, 1024, True, True)),
        (
            {"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
            Thinking(None, 1024, False, True),
        ),
        ({"type": "adaptive"}, Thinking(None, None, True, True)),
        ({"type": "adaptive", "display": "summarized"}, Thinking(None, None, True, True)),
        ({"type": "disabled"}, Thinking("none")),
        ({"type": "between_tools"}, Thinking("none")),
    ],
)
def test_thinking(fields: dict[str, Any], thinking: Thinking) -> None:
    assert asked(thinking=fields).thinking == thinking


def test_effort_says_how_hard_to_think() -> None:
    request = asked(thinking={"type": "adaptive"}, output_config={"effort": "low"})
    assert request.thinking == Thinking("low", None, True, True)


@pytest.mark.parametrize(
    ("model", "thinking"), [("claude-haiku-4-5", None), ("claude-opus-5-5", Thinking("max"))]
)
def test_effort_alone_makes_no_model_think(model: str, thinking: Thinking | None) -> None:
    assert asked(model=model, output_config={"effort": "max"}).thinking == thinking


@pytest.mark.parametrize("place", ["output_config", "output_format"])
def test_structured_output(place: str) -> None:
    form = {"type": "json_schema", "schema": SCHEMA}
    fields = {place: {"format": form} if place == "output_config" else form}
    assert asked(**fields).format == Format(SCHEMA)


# --- breakpoints ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "points"),
    [
        ({"system": [text("a", **CACHED)]}, [Breakpoint(0)]),
        ({"system": [text("abc", **CACHED), text("d")]}, [Breakpoint(0, 3)]),
        ({"messages": user(text("ab", **HOUR), text("c"))}, [Breakpoint(0, 2, 3600)]),
        ({"messages": user(text("ab"), text("c", **CACHED))}, [Breakpoint(0)]),
        ({"tools": [{**WEATHER, **CACHED}]}, [Breakpoint(-1)]),
        ({"cache_control": {"type": "ephemeral"}, "system": "x"}, [Breakpoint(1)]),
        ({"messages": loop(result("a"), result("b", **CACHED), text("c"))}, [Breakpoint(3)]),
        (
            {
                "tools": [{**WEATHER, **HOUR}],
                "system": [text("a", **HOUR)],
                "messages": user(text("b", **CACHED)),
            },
            [Breakpoint(-1, None, 3600), Breakpoint(0, None, 3600), Breakpoint(1)],
        ),
    ],
)
def test_breakpoints(fields: dict[str, Any], points: list[Breakpoint]) -> None:
    assert asked(**fields).breakpoints == tuple(points)


# --- mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_tokens": GONE}, "max_tokens: Field required"),
        ({"max_tokens": "x"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"model": GONE}, "model: Field required"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": "hi"}, "messages: Input should be a valid list"),
        (
            {"messages": [{"role": "robot", "content": "x"}]},
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
        ),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        (
            {"messages": [{"role": "user", "content": 1}]},
            "messages.0.content: Input should be a valid string or list",
        ),
        ({"messages": user({"type": "text"})}, "messages.0.content.0.text: Field required"),
        (
            {"messages": user({"type": "txt"})},
            "messages.0.content.0: Input tag 'txt' found using 'type' does not match any of the "
            "expected tags",
        ),
        (
            {"messages": [*HI, {"role": "user", "content": []}]},
            "messages.1: all messages must have non-empty content except for the optional final "
            "assistant message",
        ),
        ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1.0"),
        (
            {"stop_sequences": [" \n"]},
            "stop_sequences: each stop sequence must contain non-whitespace",
        ),
        (
            {"service_tier": "gold"},
            "service_tier: Input should be 'auto' or 'standard_only'",
        ),
        ({"tools": [{"name": "x"}]}, "tools.0.custom.input_schema: Field required"),
        ({"tools": [{"input_schema": SCHEMA}]}, "tools.0.custom.name: Field required"),
        ({"tools": [WEATHER, WEATHER]}, "tools: Tool names must be unique."),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "x"}},
            "tool_choice: Tool 'x' not found in provided tools",
        ),
        (
            {"tool_choice": {"type": "any"}},
            "tool_choice: tool_choice may only be specified while providing tools",
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1023}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            {
                "thinking": {"type": "adaptive"},
                "tools": [WEATHER],
                "tool_choice": {"type": "any"},
            },
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        (
            {"messages": user(result("z"))},
            "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: z. "
            "Each `tool_result` block must have a corresponding `tool_use` block in the previous "
            "message.",
        ),
        (
            {"messages": loop(result("a"))},
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: "
            "b. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message.",
        ),
        (
            {"messages": user(*[text("x", **CACHED)] * 5)},
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        (
            {"messages": user(text("x", **CACHED), text("y", **HOUR))},
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. "
            "Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
        ),
    ],
)
def test_errors_are_in_anthropics_words(fields: dict[str, Any], said: str) -> None:
    assert refused(**fields) == said


@pytest.mark.parametrize("fields_sent", [b"", b"{", b"\xff"])
def test_a_body_that_is_no_json(fields_sent: bytes) -> None:
    with pytest.raises(BadRequest, match="The request body is not valid JSON"):
        read(fields_sent)


def test_a_body_that_is_no_object() -> None:
    with pytest.raises(BadRequest, match="Input should be a valid dictionary"):
        read(b"[]")


def test_an_empty_answer_may_be_begun() -> None:
    read_messages = asked(messages=[*HI, {"role": "assistant", "content": ""}]).messages
    assert read_messages[-1] == Message("assistant", "")


# --- counting ---------------------------------------------------------------------------------


def test_a_prompt_to_count_is_read_like_any_other() -> None:
    fields: dict[str, Any] = {"system": "s", "tools": [WEATHER], "thinking": {"type": "adaptive"}}
    count, request = read_prompt(body(max_tokens=GONE, **fields)), asked(**fields)
    assert count.task == Count()
    assert (count.messages, count.tools, count.format) == (
        request.messages,
        request.tools,
        request.format,
    )


def test_a_prompt_to_count_needs_messages() -> None:
    with pytest.raises(BadRequest, match="messages: Field required"):
        read_prompt(body(messages=GONE))
