"""Which tools the model calls, and with what arguments."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from llmsim.core import Format, GeneratedText, Message, Request, Schema, Tool, ToolCallSegment
from llmsim.core.conversation import results
from llmsim.core.errors import invalid
from llmsim.engine import schema
from llmsim.engine.seeds import fraction, mix
from llmsim.engine.tokens.prompt import PER_CALL
from llmsim.engine.tokens.tokenizer import Tokenizer

ANYTHING: Schema = {"type": "object", "properties": {}}
OBJECT: Schema = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}
QUOTED = 400  # characters of a tool's result that the answer repeats


def chosen(request: Request, rate: float, seed: int) -> list[Tool]:
    """The tools to call now; none means to answer in words.

    ``rate`` is the probability of a call where the model may choose.

    A model that may choose calls tools in answer to the user and answers in words once it has
    their results, so that an agent's loop ends. One that must call takes tools it has not yet
    called for this user message first, for the same reason.
    """
    offered = offered_tools(request)
    if not offered or request.choice.mode == "none":
        return []
    if request.choice.mode == "auto" and (results(request.messages) or fraction(seed, 20) >= rate):
        return []
    called = _called_this_turn(request.messages)
    fresh = [tool for tool in offered if tool.name not in called] or offered[-1:]
    first = mix(seed, 21) % len(fresh)
    if len(fresh) > 1 and request.choice.parallel and mix(seed, 22) % 4 == 0:
        return [fresh[first], fresh[(first + 1) % len(fresh)]]
    return [fresh[first]]


def call(
    tool: Tool, seed: int, limit: int, tokenizer: Tokenizer, pieces: bool
) -> tuple[ToolCallSegment, bool]:
    """A call of ``tool`` with valid arguments, and whether ``limit`` tokens were enough for it.

    Raises BadRequest for a schema that nothing is valid against.
    """
    text = f"input {mix(seed, 23) % 1000}" if tool.custom else arguments(tool, seed)
    return fitted(tool, text, limit, tokenizer, pieces)


def fitted(
    tool: Tool, text: str, limit: int, tokenizer: Tokenizer, pieces: bool
) -> tuple[ToolCallSegment, bool]:
    """A call with these arguments, and whether ``limit`` tokens were enough for all of it."""
    frame = PER_CALL + tokenizer.count(tool.name)
    whole = frame + tokenizer.count(text) <= limit
    if not whole:
        text = tokenizer.cut(text, max(0, limit - frame))
    return called(tool, text, tokenizer, pieces), whole


def called(tool: Tool, text: str, tokenizer: Tokenizer, pieces: bool) -> ToolCallSegment:
    """A call of the tool with these arguments.

    Its token count includes the name and what frames a call, before the arguments' own.
    """
    frame = PER_CALL + tokenizer.count(tool.name)
    made = tokenizer.text(text, pieces=pieces)
    ends = [frame + end for end in made.ends]
    generated = GeneratedText(text, frame + made.tokens, made.pieces, ends)
    return ToolCallSegment(tool.name, generated, tool.custom, tool.form)


def arguments(tool: Tool, seed: int) -> str:
    """JSON text valid against the tool's schema."""
    try:
        return schema.text(tool.schema or ANYTHING, seed)
    except schema.ImpossibleSchema as error:
        message = f"Invalid schema for function '{tool.name}': {error}"
        raise invalid(message, "tools", "invalid_function_parameters") from None


def document(form: Format, seed: int) -> str:
    """JSON text of the form that was asked for; any object where no schema says more."""
    try:
        text = schema.text(OBJECT if form.schema is None else form.schema, seed)
    except schema.ImpossibleSchema as error:
        message = f"Invalid schema for {form.param}: {error}"
        raise invalid(message, form.param, "invalid_json_schema") from None
    return str(orjson.loads(text)) if form.bare and text.startswith('"') else text


def quick(wanted: Tool | Format) -> bool:
    """Whether arguments or a document are made in no time: their schema is understood already, and
    has small values."""
    return wanted.schema is None or schema.quick(wanted.schema)


def about_results(messages: Sequence[Message]) -> str:
    """What the model says once it has its tools' results: which tool returned what."""
    names = {call.id: call.name for message in messages for call in message.calls}
    return "\n".join(
        f"{names.get(result.answers or '', result.name or 'The tool')} returned: "
        f"{result.text[:QUOTED].strip()}"
        for result in results(messages)
    )


def offered_tools(request: Request) -> list[Tool]:
    """The tools of the client's that may be called."""
    names = request.choice.names
    return [
        tool for tool in request.tools if tool.hosted is None and (not names or tool.name in names)
    ]


def _called_this_turn(messages: Sequence[Message]) -> set[str]:
    """The tools called since the user last asked for something."""
    called: set[str] = set()
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.role == "user" and not results(messages[: index + 1]):
            break
        called.update(call.name for call in message.calls)
    return called
