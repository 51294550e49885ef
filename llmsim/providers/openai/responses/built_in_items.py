"""Responses: the items and the events of calls whose tools the provider defines, and the citations
of what its searches found (``types.responses.response_output_item``)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, TypeAlias

import orjson
from msgspec import Struct

from llmsim.core import (
    Citation,
    GeneratedText,
    HostedCallSegment,
    Source,
    Tool,
    ToolCallSegment,
)
from llmsim.core.request import Paint
from llmsim.providers.openai.responses import built_in
from llmsim.providers.openai.responses.params import ResponsesRequest
from llmsim.providers.wire import partial_json

Named: TypeAlias = tuple[bytes, bytes]
"""An event's name, and its members beside those that say which item it is of, each after a comma.
"""

EMPTY = GeneratedText("", 0)

SEARCHED = "web_search_call.action.sources"
RESULTS = "file_search_call.results"
OUTPUTS = "code_interpreter_call.outputs"

# What a call must have that a mock's arguments lack.
DEFAULTS: dict[str, dict[str, Any]] = {
    "apply_patch_call": {
        "operation": {"type": "create_file", "path": "notes.txt", "diff": "+A first line.\n"}
    },
    "computer_call": {"action": {"type": "screenshot"}},
    "local_shell_call": {"action": {"type": "exec", "command": ["ls"], "env": {}}},
    "shell_call": {"action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": None}},
    built_in.APPROVAL: {"name": built_in.MCP_TOOL, "arguments": "{}"},
}


class BuiltInItem(Struct, frozen=True, gc=False):
    """One item, written already. Its stream begins with the item as it is ``opened`` and ends with
    the ``whole`` one; in between are the events ``before`` its text, one for each piece of that,
    and those ``after`` it."""

    place: int
    id: bytes
    tokens: int
    opened: bytes
    whole: bytes
    before: tuple[Named, ...] = ()
    delta: bytes = b""
    generated: GeneratedText | None = None
    after: tuple[Named, ...] = ()


def kind_of(segment: HostedCallSegment | ToolCallSegment) -> str:
    """The type of the item that a call is."""
    if isinstance(segment, ToolCallSegment):
        return segment.form
    return KINDS[segment.tool.hosted or "mcp"]


KINDS = {
    "code": "code_interpreter_call",
    "file_search": "file_search_call",
    "image": "image_generation_call",
    "mcp": "mcp_call",
    "web_search": "web_search_call",
    "web_fetch": "web_search_call",
}


def of_client(call: ToolCallSegment, place: int, name: str, call_id: str, cut: bool) -> BuiltInItem:
    """A call that the client answers."""
    kind = call.form
    head: dict[str, Any] = {"id": name, "type": kind}
    own = _own_members(call)
    if kind == built_in.APPROVAL:
        whole = orjson.dumps({**head, "server_label": call.name, **own})
        return BuiltInItem(place, name.encode(), call.generated.tokens, whole, whole)
    if kind == "computer_call":
        own = {**own, "pending_safety_checks": []}
    done = "incomplete" if cut and kind != "apply_patch_call" else "completed"
    head["call_id"] = call_id
    opened = orjson.dumps({**head, "status": "in_progress", **own})
    whole = orjson.dumps({**head, "status": done, **own})
    after = _commands(own["action"]["commands"]) if kind == "shell_call" else ()
    return BuiltInItem(
        place, name.encode(), call.generated.tokens, opened, whole, after=tuple(after)
    )


def _own_members(call: ToolCallSegment) -> dict[str, Any]:
    """The members that are the call's own: those of its kind, whatever a mock says."""
    values = partial_json.complete_value(call.generated.text)
    default = DEFAULTS[call.form]
    if call.form == "computer_call" and isinstance(values, dict) and "actions" in values:
        return {"actions": values["actions"]}
    if not isinstance(values, dict) or any(
        type(values.get(key)) is not type(one) for key, one in default.items()
    ):
        return default
    return {key: _filled(one, values[key]) for key, one in default.items()}


def _filled(default: Any, value: Any) -> Any:
    return {**default, **value} if isinstance(default, dict) else value


def _commands(commands: Sequence[str]) -> list[Named]:
    events: list[Named] = []
    for index, command in enumerate(commands):
        where = b',"command_index":%d' % index
        text = orjson.dumps(command)
        prefix = b"response.shell_call_command."
        events += [
            (prefix + b"added", where + b',"command":""'),
            (prefix + b"delta", where + b',"delta":' + text),
            (prefix + b"done", where + b',"command":' + text),
        ]
    return events


def hosted(call: HostedCallSegment, place: int, name: str, params: ResponsesRequest) -> BuiltInItem:
    """A call that the provider answers itself."""
    kind = kind_of(call)
    opened, whole = _written(call, kind, name, params)
    before, delta, after = _events(call, kind)
    return BuiltInItem(
        place,
        name.encode(),
        call.generated.tokens,
        orjson.dumps(opened),
        orjson.dumps(whole),
        before,
        delta,
        call.generated if delta else None,
        after,
    )


def listing(label: str, place: int, name: str, params: ResponsesRequest) -> BuiltInItem:
    """The tools of an MCP server, which come before the first call of one."""
    tool = {
        "name": built_in.mcp_tool(built_in.of_label(params.tools, label)),
        "description": "",
        "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}},
        "annotations": None,
    }
    item = {"id": name, "type": "mcp_list_tools", "server_label": label, "error": None}
    return BuiltInItem(
        place,
        name.encode(),
        0,
        orjson.dumps({**item, "tools": []}),
        orjson.dumps({**item, "tools": [tool]}),
        ((b"response.mcp_list_tools.in_progress", b""),),
        after=((b"response.mcp_list_tools.completed", b""),),
    )


def _written(
    call: HostedCallSegment, kind: str, name: str, params: ResponsesRequest
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The item at its beginning, and the whole one."""
    include = params.include or ()
    base: dict[str, Any] = {"id": name, "type": kind}
    begun, done = {**base, "status": "in_progress"}, {**base, "status": "completed"}
    match kind:
        case "web_search_call":
            action: dict[str, Any] = {"type": "search", "query": call.subject}
            action["queries"] = [call.subject]
            begun["action"] = {**action}
            if SEARCHED in include:
                action["sources"] = [{"type": "url", "url": one.url} for one in call.sources]
            done["action"] = action
        case "file_search_call":
            begun |= {"queries": [], "results": None}
            found = _files(call) if RESULTS in include else None
            done |= {"queries": [call.subject], "results": found}
        case "code_interpreter_call":
            container = f"cntr_{name.partition('_')[2]}"
            begun |= {"code": "", "container_id": container, "outputs": None}
            logs = [{"type": "logs", "logs": call.output}] if OUTPUTS in include else None
            done |= {"code": call.subject, "container_id": container, "outputs": logs}
        case "image_generation_call":
            begun["result"] = None
            done |= _picture(call)
        case _:
            wire = built_in.of_label(params.tools, call.tool.name)
            called: dict[str, Any] = {
                "server_label": call.tool.name,
                "name": built_in.mcp_tool(wire),
            }
            called |= {"approval_request_id": params.approved, "error": None}
            begun |= {**called, "arguments": "", "output": None}
            done |= {**called, "arguments": call.subject, "output": call.output}
    return begun, done


def _files(call: HostedCallSegment) -> list[dict[str, Any]]:
    return [
        {
            "attributes": {},
            "file_id": one.file,
            "filename": one.title,
            "score": one.score,
            "text": one.text,
        }
        for one in call.sources
    ]


def _looks(paint: Paint) -> dict[str, str]:
    canvas = paint.canvas
    return {
        "background": "transparent" if canvas.transparent else "opaque",
        "output_format": canvas.form,
        "quality": paint.quality,
        "size": f"{canvas.width}x{canvas.height}",
    }


def _picture(call: HostedCallSegment) -> dict[str, Any]:
    assert call.tool.paint is not None
    result = b64encode(call.versions[-1]).decode()
    about = {"action": "generate", "revised_prompt": call.subject, "result": result}
    return {**_looks(call.tool.paint), **about}


def _events(
    call: HostedCallSegment, kind: str
) -> tuple[tuple[Named, ...], bytes, tuple[Named, ...]]:
    """The events before the text, of a piece of it, and after it."""
    prefix = b"response.%b." % kind.encode()
    begun, done = (prefix + b"in_progress", b""), (prefix + b"completed", b"")
    text = orjson.dumps(call.subject)
    match kind:
        case "code_interpreter_call":
            code = b"response.code_interpreter_call_code."
            running = (prefix + b"interpreting", b"")
            return (begun,), code + b"delta", ((code + b"done", b',"code":' + text), running, done)
        case "image_generation_call":
            return (begun, (prefix + b"generating", b"")), b"", (*_partial(call, prefix), done)
        case "mcp_call":
            arguments = b"response.mcp_call_arguments."
            whole = (arguments + b"done", b',"arguments":' + text)
            return (begun,), arguments + b"delta", (whole, done)
        case _:
            return (begun, (prefix + b"searching", b"")), b"", (done,)


def _partial(call: HostedCallSegment, prefix: bytes) -> list[Named]:
    """The events of a picture's unfinished versions."""
    assert call.tool.paint is not None
    looks = orjson.dumps(_looks(call.tool.paint))[1:-1]
    return [
        (
            prefix + b"partial_image",
            b',"partial_image_index":%d,"partial_image_b64":"%b",%b'
            % (index, b64encode(version), looks),
        )
        for index, version in enumerate(call.versions[:-1])
    ]


def cited(citations: Sequence[Citation]) -> list[bytes]:
    """Citations as annotations of a text."""
    return [orjson.dumps(_annotation(one)) for one in citations]


def _annotation(citation: Citation) -> dict[str, Any]:
    source = citation.source
    if source.file:
        return {
            "type": "file_citation",
            "file_id": source.file,
            "filename": source.title,
            "index": citation.end,
        }
    return {
        "type": "url_citation",
        "start_index": citation.start,
        "end_index": citation.end,
        "url": source.url,
        "title": source.title,
    }


def client_call(item: dict[str, Any]) -> tuple[Tool, str] | None:
    """The tool that an item calls and the client runs, and the call's arguments; None for any
    other item."""
    kind = item["type"]
    if kind == built_in.APPROVAL:
        own = {name: item[name] for name in DEFAULTS[kind]}
        return Tool(item["server_label"], form=kind), orjson.dumps(own).decode()
    if kind not in built_in.CALLS:
        return None
    own = {name: item[name] for name in ("action", "actions", "operation") if name in item}
    return Tool(built_in.CALLS[kind], form=kind), orjson.dumps(own).decode()


def hosted_call(item: dict[str, Any], params: ResponsesRequest) -> HostedCallSegment | None:
    """The call that an item is which the provider answers itself, but for its text; None for any
    other item."""
    match item:
        case {"type": "web_search_call", "action": {"query": str(query)}}:
            found = item["action"].get("sources", ())
            sources = tuple(Source("", "", one["url"]) for one in found)
            return HostedCallSegment(_tool("web_search", params), query, EMPTY, sources)
        case {"type": "file_search_call", "queries": [str(query)], "results": results}:
            files = tuple(
                Source(one["filename"], one["text"], "", one["file_id"], one["score"])
                for one in results or ()
            )
            return HostedCallSegment(_tool("file_search", params), query, EMPTY, files)
        case {"type": "code_interpreter_call", "code": str(code), "outputs": outputs}:
            logs = "".join(one["logs"] for one in outputs or ())
            return HostedCallSegment(_tool("code_interpreter", params), code, EMPTY, (), logs)
        case {"type": "image_generation_call", "revised_prompt": str(prompt), "result": str(data)}:
            tool = _tool("image_generation", params)
            return HostedCallSegment(tool, prompt, EMPTY, (), "", (b64decode(data),))
        case {"type": "mcp_call", "server_label": label, "arguments": str(arguments)}:
            return HostedCallSegment(
                Tool(label, hosted="mcp"), arguments, EMPTY, (), item["output"]
            )
    return None


def _tool(name: str, params: ResponsesRequest) -> Tool:
    """The tool of the provider's that the request has under that name."""
    wires = [one for one in params.tools or () if built_in.name_of(one["type"]) == name]
    found = built_in.tool(wires[0] if wires else {"type": name}, True)
    assert found is not None
    return found


def citations(annotations: Sequence[dict[str, Any]]) -> tuple[Citation, ...]:
    """What a text's annotations cite."""
    made = []
    for place, one in enumerate(annotations):
        if one["type"] == "file_citation":
            source = Source(one["filename"], "", "", one["file_id"])
            made.append(Citation(0, one["index"], place, source))
        else:
            source = Source(one["title"], "", one["url"])
            made.append(Citation(one["start_index"], one["end_index"], place, source))
    return tuple(made)
