"""Anthropic Messages: the parts that plain and streamed answers share
(``types.message``, ``types.usage``)."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from hashlib import sha512

import orjson

from llmsim.core import Choice, Completion, Finish, RefusalSegment, Stamp, ToolCallSegment, Usage
from llmsim.providers.anthropic.errors import call_id, message_id, model_name
from llmsim.providers.anthropic.messages import hosted

_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOLS: "tool_use",
    Finish.FILTER: "refusal",
}
OWN_REASONS = ("pause_turn", "model_context_window_exceeded", "compaction")
"""Reasons that only a mock gives."""
_REFUSAL = b'{"type":"refusal","category":null,"explanation":null}'
UNSTOPPED = b'"stop_reason":null,"stop_sequence":null,"stop_details":null'


def opening(model: str, stamp: Stamp) -> bytes:
    """A message up to its content."""
    return b'{"model":%b,"id":"%b","type":"message","role":"assistant","content":[' % (
        _name(model),
        message_id(stamp).encode(),
    )


@lru_cache(maxsize=4096)
def _name(model: str) -> bytes:
    return orjson.dumps(model_name(model))


def stop_members(choice: Choice) -> bytes:
    """The members that say why a message ended."""
    refused = choice.finish is Finish.FILTER or any(
        isinstance(segment, RefusalSegment) for segment in choice.segments
    )
    if refused:
        return b'"stop_reason":"refusal","stop_sequence":null,"stop_details":' + _REFUSAL
    if choice.stop is not None:
        stop = orjson.dumps(choice.stop)
        return b'"stop_reason":"stop_sequence","stop_sequence":%b,"stop_details":null' % stop
    reason = choice.reason if choice.reason in OWN_REASONS else _REASONS[choice.finish]
    return b'"stop_reason":"%b","stop_sequence":null,"stop_details":null' % reason.encode()


def usage(completion: Completion, tier: bytes) -> bytes:
    """The usage of a whole message. ``input_tokens`` does not include the cached ones."""
    used = completion.usage
    return b"%b%b%b}" % (
        _counts(used, used.completion, tier),
        _details(used),
        hosted.requests(completion.choices[0]),
    )


def start_usage(used: Usage, tier: bytes) -> bytes:
    """The usage at the start of a stream, when at most one token has been generated."""
    return _counts(used, min(1, used.completion), tier) + b"}"


def final_usage(completion: Completion) -> bytes:
    """The usage at the end of a stream: totals, not what was added since its start."""
    used = completion.usage
    return b'{%b,"output_tokens":%d%b%b}' % (
        _input(used),
        used.completion,
        _details(used),
        hosted.requests(completion.choices[0]),
    )


def _counts(used: Usage, output: int, tier: bytes) -> bytes:
    hour = used.cache_written_hour
    return (
        b'{%b,"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":%d},'
        b'"output_tokens":%d,"service_tier":"%b","inference_geo":"not_available"'
        % (_input(used), used.cache_written - hour, hour, output, tier)
    )


def _input(used: Usage) -> bytes:
    written, read = used.cache_written, used.cached
    return b'"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d' % (
        used.prompt - read - written,
        written,
        read,
    )


def _details(used: Usage) -> bytes:
    if not used.reasoning:
        return b""
    return b',"output_tokens_details":{"thinking_tokens":%d}' % used.reasoning


def thinks_unseen(completion: Completion) -> bool:
    """Whether the model thought and the thoughts are not shown: their block then has only a
    signature."""
    used = completion.usage
    return used.reasoning > 0 and used.completion > completion.choices[0].tokens


def signature(stamp: Stamp) -> bytes:
    """The signature of a thinking block: 260 characters of base64, different in each answer.

    The live service's are opaque too, and begin like these.
    """
    made = b"".join(sha512(f"{stamp.mark}{part}".encode()).digest() for part in range(3))
    return b64encode(b"\x12\xc0\x01" + made)


def tool_use(call: ToolCallSegment, place: int, stamp: Stamp, arguments: bytes) -> bytes:
    """The block of a tool call; ``arguments`` is its input as JSON."""
    toolset = b',"toolset_name":"%b"' % call.form.encode() if call.form else b""
    return b'{"type":"tool_use","id":"%b","name":%b,"input":%b,"caller":{"type":"direct"}%b}' % (
        call_id(stamp, place).encode(),
        orjson.dumps(call.name),
        arguments,
        toolset,
    )
