"""One recording as one line of a file, and back."""

from __future__ import annotations

from typing import Any

import msgspec

from llmsim.recordings.recording import VERSION, Recording

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Recording)
_UNTYPED = msgspec.json.Decoder()


class LineError(ValueError):
    """A line is no recording; the message says what is wrong with it, and where."""


def to_line(recording: Recording) -> bytes:
    """The recording as JSON, its version first, with the line's end."""
    # The version has a default and would be left out, but readers of other versions need it.
    return b'{"version":%d,' % recording.version + _ENCODER.encode(recording)[1:] + b"\n"


def from_line(line: bytes) -> Recording:
    """The recording of a line. Raises LineError."""
    try:
        recording = _DECODER.decode(line)
    except msgspec.DecodeError as error:
        version = _version(line)
        if version not in (None, VERSION):
            raise LineError(f"version {version} is not known, only {VERSION}") from None
        raise LineError(str(error)) from None
    if recording.version != VERSION:
        raise LineError(f"version {recording.version} is not known, only {VERSION}")
    return recording


def schema() -> dict[str, Any]:
    """The JSON Schema of a line."""
    return msgspec.json.schema(Recording)


def _version(line: bytes) -> object:
    try:
        found = _UNTYPED.decode(line)
    except msgspec.DecodeError:
        return None
    return found.get("version") if isinstance(found, dict) else None
