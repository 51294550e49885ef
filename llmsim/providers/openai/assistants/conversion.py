"""Assistants: a run as a request in neutral terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import convert

from llmsim.core import AUTO, Image, Message, Request, Thinking, Tool, ToolCall, ToolChoice
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.openai.assistants import params, runs
from llmsim.providers.openai.assistants.params import (
    AssistantFunction,
    AssistantTool,
    AssistantToolChoice,
    ChosenTool,
    CodeInterpreterTool,
    FileSearchTool,
)
from llmsim.providers.openai.assistants.runs import RunRecord
from llmsim.providers.openai.assistants.steps import BuiltIn, RunWire
from llmsim.providers.openai.chat.tools import ResponseFormat, answer_format
from llmsim.providers.openai.lists import Object
from llmsim.providers.wire import attachments


def new_run(
    sent: params.RunParams, members: Object, assistant: Object, thread_id: str, patience: float
) -> RunRecord:
    """The run that is asked for; it gets its id once its request has a stamp."""
    instructions = assistant["instructions"] if sent.instructions is None else sent.instructions
    combined = "\n".join(filter(None, (instructions, sent.additional_instructions)))
    echo = runs.echo(members, assistant, combined)
    return RunRecord("", thread_id, assistant["id"], 0, echo, sent.metadata or {}, patience)


def request(
    run: RunRecord, thread_messages: Sequence[Object], stream: bool, thread: Object | None = None
) -> Request:
    """What is put to the model: the instructions, the thread, and what the run did so far. Raises
    BadRequest for a tool that is to be called but is not offered.

    ``thread_messages`` are objects, oldest first; ``thread`` is one that is created with the run.
    """
    echo = run.echo
    tools = convert(echo["tools"], list[AssistantTool])
    choice: AssistantToolChoice = convert(echo["tool_choice"], AssistantToolChoice)
    offered = [
        Tool(tool.function.name, tool.function.description or "", tool.function.parameters)
        for tool in tools
        if isinstance(tool, AssistantFunction)
    ]
    form = echo["response_format"]
    effort = echo.get("reasoning_effort")
    messages = [*_instructions(echo), *_thread(_latest(run, thread_messages)), *_so_far(run)]
    return Request(
        echo["model"],
        tuple(messages) or (Message("user"),),
        stream,
        _limit(run),
        thinking=None if effort is None else Thinking(effort),
        tools=tuple(offered),
        choice=_choice(choice, offered, run) if tools else AUTO,
        format=None if form == "auto" else answer_format(convert(form, ResponseFormat)),
        wire=RunWire(run, thread, () if run.stretches else _built_in(choice, tools)),
        polled=not stream,
    )


def _instructions(echo: Object) -> list[Message]:
    return [Message("system", echo["instructions"])] if echo["instructions"] else []


def _latest(run: RunRecord, objects: Sequence[Object]) -> Sequence[Object]:
    """The messages that the run is told of by its own will."""
    strategy = run.echo["truncation_strategy"]
    return objects[-strategy["last_messages"] :] if strategy["type"] != "auto" else objects


def _thread(objects: Sequence[Object]) -> Iterator[Message]:
    for one in objects:
        texts: list[str] = []
        images: list[Image] = []
        mark = 0
        for part in one["content"]:
            kind = part["type"]
            if kind == "text":
                texts.append(part["text"]["value"])
            elif kind == "refusal":
                texts.append(part["refusal"])
            else:
                image = part[kind]
                images.append(Image(image["detail"]))
                mark = attachments.mark(image.get("url") or image.get("file_id") or "", mark)
        yield Message(one["role"], "".join(texts), images=tuple(images), mark=mark)


def _so_far(run: RunRecord) -> Iterator[Message]:
    """What the run's earlier stretches wrote and called, and what came of the calls."""
    for stretch in run.stretches:
        for step in stretch.steps:
            if step.message_id is not None:
                yield Message("assistant", step.text)
                continue
            calls = [call for call in step.calls if call["type"] == "function"]
            if not calls:
                continue
            yield Message(
                "assistant",
                calls=tuple(
                    ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
                    for call in calls
                ),
            )
            for call in calls:
                yield Message("tool", run.outputs.get(call["id"], ""), answers=call["id"])


def _limit(run: RunRecord) -> int | None:
    """The completion tokens that are left to the run; one at least."""
    most: int | None = run.echo["max_completion_tokens"]
    if most is None:
        return None
    return max(1, most - sum(one.usage.completion for one in run.stretches))


def _choice(choice: AssistantToolChoice, offered: Sequence[Tool], run: RunRecord) -> ToolChoice:
    """Which functions to call. A run that must call some has done so with its first stretch."""
    parallel: bool = run.echo["parallel_tool_calls"]
    if isinstance(choice, ChosenTool):
        if choice.type != "function":
            return ToolChoice("none")
        name = "" if choice.function is None else choice.function.name
        if name not in [tool.name for tool in offered]:
            message = f"Invalid tool_choice: no tool named '{name}' is specified in 'tools'."
            raise invalid(message, "tool_choice")
        if not run.stretches:
            return ToolChoice("required", (name,), parallel)
        return ToolChoice("auto", (), parallel)
    if choice == "required" and run.stretches:
        return ToolChoice("auto", (), parallel)
    return ToolChoice(choice, (), parallel)


def _built_in(choice: AssistantToolChoice, tools: Sequence[AssistantTool]) -> tuple[BuiltIn, ...]:
    """The tools that the service runs before it answers."""
    made: list[BuiltIn] = []
    for tool in tools:
        kind: BuiltIn | None = None
        if isinstance(tool, CodeInterpreterTool):
            kind = "code_interpreter"
        elif isinstance(tool, FileSearchTool):
            kind = "file_search"
        if kind is not None and kind not in made and choice != "none":
            made.append(kind)
    if isinstance(choice, ChosenTool):
        return tuple(kind for kind in made if kind == choice.type)
    return tuple(made)


def with_outputs(run: RunRecord, sent: params.ToolOutputs) -> RunRecord:
    """The run with what came of its calls. Raises BadRequest where some have no output, or where
    there is one for none of them."""
    outputs = {one.tool_call_id or "": one.output or "" for one in sent.tool_outputs}
    expected = [call["id"] for call in runs.required_calls(run)]
    missing = [name for name in expected if name not in outputs]
    unknown = [name for name in outputs if name not in expected]
    if missing or unknown:
        raise _mismatched(expected, missing, unknown)
    return msgspec.structs.replace(run, outputs={**run.outputs, **outputs})


def _mismatched(expected: list[str], missing: list[str], unknown: list[str]) -> BadRequest:
    if missing:
        message = f"Expected tool outputs for call_ids {expected}, got none for {missing}."
    else:
        message = f"Expected tool outputs for call_ids {expected}, got {unknown}."
    return invalid(message, "tool_outputs")
