"""Anthropic Messages: the blocks of tools that the service runs, and the citations of what they
found (``types.server_tool_use_block``, ``types.*_tool_result_block``, ``types.text_citation``)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from llmsim.core import Choice, Citation, HostedCallSegment, Source, Stamp

RESULTS = {
    "web_search": "web_search_tool_result",
    "web_fetch": "web_fetch_tool_result",
    "code_execution": "code_execution_tool_result",
    "bash_code_execution": "bash_code_execution_tool_result",
}
"""The block with a tool's result, by the tool's name."""
_DIRECT = {"type": "direct"}


def name(call: HostedCallSegment) -> str:
    """What the tool is called in a call: one that runs code has several names."""
    if call.tool.hosted != "code":
        return str(call.tool.hosted)
    schema = call.tool.schema
    by_shell = isinstance(schema, dict) and "command" in schema["properties"]
    return "bash_code_execution" if by_shell else "code_execution"


def call_id(stamp: Stamp, place: int) -> str:
    """The id of the answer's call number ``place``: ``srvtoolu_01`` and 24 characters."""
    return f"srvtoolu_01{stamp.mark[4:]}{place:02x}"


def use(call: HostedCallSegment, place: int, stamp: Stamp, arguments: bytes) -> bytes:
    """The block of a call; ``arguments`` is its input as JSON."""
    return b'{"type":"server_tool_use","id":"%b","name":"%b","input":%b,"caller":%b}' % (
        call_id(stamp, place).encode(),
        name(call).encode(),
        arguments,
        orjson.dumps(_DIRECT),
    )


def result(call: HostedCallSegment, place: int, stamp: Stamp) -> bytes:
    """The block of what came of a call."""
    called = name(call)
    block: dict[str, Any] = {
        "type": RESULTS[called],
        "tool_use_id": call_id(stamp, place),
        "content": _content(called, call, stamp),
    }
    if call.tool.hosted != "code":
        block["caller"] = _DIRECT
    return orjson.dumps(block)


def _content(called: str, call: HostedCallSegment, stamp: Stamp) -> Any:
    match called:
        case "web_search":
            return [
                {
                    "type": "web_search_result",
                    "url": source.url,
                    "title": source.title,
                    "encrypted_content": _sealed(source.text),
                    "page_age": None,
                }
                for source in call.sources
            ]
        case "web_fetch":
            return _fetched(call.sources[0], stamp)
        case _:
            return {
                "type": f"{called}_result",
                "stdout": call.output,
                "stderr": "",
                "return_code": 0,
                "content": [],
            }


def _fetched(source: Source, stamp: Stamp) -> dict[str, Any]:
    text = {"type": "text", "media_type": "text/plain", "data": source.text}
    document = {"type": "document", "source": text, "title": source.title, "citations": None}
    retrieved = datetime.fromtimestamp(stamp.created, UTC).isoformat()
    return {
        "type": "web_fetch_result",
        "url": source.url,
        "content": document,
        "retrieved_at": retrieved,
    }


def citations(cited: Sequence[Citation]) -> list[bytes]:
    """Citations as they stand in a text block."""
    return [
        orjson.dumps(
            {**one.source.location, "cited_text": one.source.text}
            if one.source.location is not None
            else {
                "type": "web_search_result_location",
                "url": one.source.url,
                "title": one.source.title,
                "encrypted_index": _sealed(f"{one.place}:{one.source.url}"),
                "cited_text": one.source.text[:150],
            }
        )
        for one in cited
    ]


def _sealed(text: str) -> str:
    """What only the service can read: it begins like the live service's."""
    return b64encode(b"\x12\xc0" + text.encode()).decode()


def requests(choice: Choice) -> bytes:
    """The member of the usage that counts what the service asked of the web."""
    ran = [one.tool.hosted for one in choice.segments if isinstance(one, HostedCallSegment)]
    searches, fetches = ran.count("web_search"), ran.count("web_fetch")
    if not searches and not fetches:
        return b""
    return b',"server_tool_use":{"web_search_requests":%d,"web_fetch_requests":%d}' % (
        searches,
        fetches,
    )
