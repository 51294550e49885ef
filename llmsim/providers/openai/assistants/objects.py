"""Assistants, threads and messages as they are created and updated: what was asked for, and what
the service adds.

Everything is plain JSON that goes into the store as it is. ``token`` makes ids unique: 24
characters or more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from llmsim.providers.openai.lists import Object

ASSISTANT, THREAD, MESSAGE, RUN = "assistant", "thread", "message", "run"
"""The kinds of objects, by which the store tells them apart."""

PREFIXES = {ASSISTANT: "asst_", THREAD: "thread_", MESSAGE: "msg_", RUN: "run_"}
"""What their ids begin with."""

DELETED = {
    ASSISTANT: "assistant.deleted",
    THREAD: "thread.deleted",
    MESSAGE: "thread.message.deleted",
}

_SHOWN = (
    "name",
    "description",
    "instructions",
    "model",
    "tools",
    "tool_resources",
    "metadata",
    "temperature",
    "top_p",
    "response_format",
    "reasoning_effort",
)
_DEFAULTS: Object = {
    "name": None,
    "description": None,
    "instructions": None,
    "tools": [],
    "tool_resources": {},
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}


def assistant(members: Object, token: str, created: int) -> Object:
    """A new assistant."""
    made = {"id": PREFIXES[ASSISTANT] + token, "object": "assistant", "created_at": created}
    return updated_assistant({**made, **_DEFAULTS}, members)


def updated_assistant(before: Object, members: Object) -> Object:
    """The assistant with the members of a request in place of its own."""
    new = {key: value for key, value in members.items() if key in _SHOWN}
    if "tool_resources" in new:
        new["tool_resources"] = resources(new["tool_resources"], before["id"])
    return {**before, **{key: _or_default(key, value) for key, value in new.items()}}


def _or_default(key: str, value: Any) -> Any:
    return _DEFAULTS.get(key) if value is None else value


def thread(members: Object, token: str, created: int) -> Object:
    """A new thread, without its messages."""
    name = PREFIXES[THREAD] + token
    return {
        "id": name,
        "object": "thread",
        "created_at": created,
        "metadata": members.get("metadata") or {},
        "tool_resources": resources(members.get("tool_resources"), name),
    }


def updated_thread(before: Object, members: Object) -> Object:
    """The thread with the members of a request in place of its own."""
    new: Object = {}
    if members.get("metadata") is not None:
        new["metadata"] = members["metadata"]
    if members.get("tool_resources") is not None:
        new["tool_resources"] = resources(members["tool_resources"], before["id"])
    return {**before, **new}


def message(members: Object, thread_id: str, token: str, created: int) -> Object:
    """A message that a client adds to a thread."""
    content = members["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {
        "id": PREFIXES[MESSAGE] + token,
        "object": "thread.message",
        "created_at": created,
        "thread_id": thread_id,
        "status": "completed",
        "incomplete_details": None,
        "completed_at": created,
        "incomplete_at": None,
        "role": members["role"],
        "content": [_content(part) for part in parts],
        "assistant_id": None,
        "run_id": None,
        "attachments": members.get("attachments") or [],
        "metadata": members.get("metadata") or {},
    }


def messages(
    listed: list[Object] | None, thread_id: str, token: Callable[[], str], created: int
) -> list[Object]:
    """The messages of a new thread or run."""
    return [message(one, thread_id, token(), created) for one in listed or ()]


def _content(part: Object) -> Object:
    """A part of a message's content as it is shown: only texts have another form than was sent."""
    if part["type"] == "text":
        return {"type": "text", "text": {"value": part["text"], "annotations": []}}
    kind = part["type"]
    return {"type": kind, kind: {"detail": "auto", **part[kind]}}


def resources(sent: Object | None, owner: str) -> Object:
    """Tool resources as they are shown: vector stores that were to be created have ids."""
    if not sent:
        return {}
    shown: Object = {key: value for key, value in sent.items() if value is not None}
    search = shown.get("file_search")
    if search and search.get("vector_stores"):
        names = [f"vs_{owner[-22:]}{place:02d}" for place in range(len(search["vector_stores"]))]
        listed = search.get("vector_store_ids") or []
        shown["file_search"] = {"vector_store_ids": [*listed, *names]}
    return shown


def deleted(kind: str, name: str) -> bytes:
    """The answer to deleting an object."""
    return orjson.dumps({"id": name, "object": DELETED[kind], "deleted": True})
